// Writes image/: the program in few files, without what is not used at run time. For the container image.
import { build } from 'esbuild';
import { cpSync, rmSync } from 'node:fs';

rmSync('image', { recursive: true, force: true });
await build({
  // The thread is loaded from the folder of the chunk that starts it.
  entryPoints: { main: 'dist/src/main.js', 'password-worker': 'dist/src/web/password-worker.js' },
  outdir: 'image/dist/src',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  // Names of errors and classes stand in logs.
  keepNames: true,
  legalComments: 'linked',
  // Packages that are CommonJS call `require` for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
cpSync('package.json', 'image/package.json');
