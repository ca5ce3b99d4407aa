export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/dist/test'],
  testMatch: ['**/e2e/**/*.test.js'],
  transform: {},
  testTimeout: 180_000,
  errorOnDeprecated: true,
};
