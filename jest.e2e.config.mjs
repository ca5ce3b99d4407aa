export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/dist/test'],
  testMatch: ['**/e2e/**/*.test.js'],
  transform: {},
  // They wait more than they compute, so each processor takes one, the first one too.
  maxWorkers: '100%',
  testTimeout: 180_000,
  errorOnDeprecated: true,
};
