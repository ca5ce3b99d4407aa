export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/dist/test'],
  testMatch: ['**/*.test.js'],
  testPathIgnorePatterns: ['/dist/test/e2e/'],
  transform: {},
  coverageProvider: 'v8',
  // Coverage keeps every script of every test file of its process: in one process on 2 cores the tests take 540 s, in two
  // that are renewed 132 s.
  maxWorkers: 2,
  workerIdleMemoryLimit: '500MB',
  collectCoverageFrom: ['<rootDir>/dist/src/**/*.js'],
  coverageReporters: ['text-summary', 'lcovonly'],
  coverageThreshold: { global: { lines: 95, branches: 90 } },
  errorOnDeprecated: true,
};
