export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/dist/test'],
  testMatch: ['**/*.test.js'],
  testPathIgnorePatterns: ['/dist/test/e2e/'],
  transform: {},
  // A busy machine takes ten times as long for the tests of whole programs.
  testTimeout: 60_000,
  // Used by .ci/run, with `npm test -- --coverage`. Collecting it takes 1.8 times the CPU.
  coverageProvider: 'v8',
  maxWorkers: 2,
  workerIdleMemoryLimit: '500MB',
  collectCoverageFrom: ['<rootDir>/dist/src/**/*.js'],
  coverageReporters: ['text-summary', 'lcovonly'],
  coverageThreshold: { global: { lines: 95, branches: 90 } },
  errorOnDeprecated: true,
};
