// Starts the exporter for the service host. Windows has no signals that reach a process without a console, so the host
// writes lines to standard input: "reload" reloads the configuration, and the end of input stops the exporter, also when
// the host dies.
process.stdin.setEncoding('utf8');
process.stdin.on('data', text => {
  if (text.includes('reload')) process.emit('SIGHUP');
});
process.stdin.on('end', () => {
  // Before the exporter listens for signals there is nothing to stop.
  if (!process.emit('SIGTERM')) process.exit(0);
});
// An exporter that ends on its own does not wait for input.
process.stdin.unref?.();

await import('./dist/src/main.js');
