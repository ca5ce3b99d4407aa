export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/dist/test'],
  testMatch: ['**/*.test.js'],
  testPathIgnorePatterns: ['/dist/test/e2e/'],
  transform: {},
  coverageProvider: 'v8',
  collectCoverageFrom: ['<rootDir>/dist/src/**/*.js'],
  coverageReporters: ['text-summary', 'lcovonly'],
  coverageThreshold: { global: { lines: 95, branches: 90 } },
  errorOnDeprecated: true,
};
