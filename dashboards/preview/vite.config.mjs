import react from '@vitejs/plugin-react';

// Grafana's packages expect the globals of webpack.
export default {
  plugins: [react()],
  define: { 'process.env': {}, global: 'globalThis' },
  build: { minify: false, target: 'es2022', outDir: '.cache/page', emptyOutDir: true, chunkSizeWarningLimit: 100_000 },
};
