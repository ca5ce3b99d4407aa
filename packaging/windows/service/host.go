// Package main is the service host of vb365-exporter for Windows: it starts the exporter, restarts it after a failure,
// forwards stop and reload, and writes its output to a log file with rotation. Only windows.go calls Windows, so the rest
// is tested on every system.
package main

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"time"
)

const (
	serviceName = "vb365-exporter"
	// Exit code of the exporter for an invalid configuration: a restart would not help.
	exitUsage = 2
)

// host runs one exporter at a time.
type host struct {
	command      func() *exec.Cmd
	log          io.Writer
	events       events
	restartAfter time.Duration
	// How long the exporter may take to stop before it is killed; it needs at most 5 s itself.
	stopWithin time.Duration
}

// events is the event log of Windows, or what stands for it in a test.
type events interface {
	info(message string)
	failure(message string)
}

// run runs the exporter until ctx is done, and restarts it when it fails. It returns the exit code for the service manager:
// 0 after a stop, otherwise that of an exporter with an invalid configuration.
func (h host) run(ctx context.Context, reload <-chan struct{}) int {
	for {
		code, err := h.once(ctx, reload)
		switch {
		case ctx.Err() != nil:
			h.events.info("The exporter stopped.")
			return 0
		case err != nil:
			h.events.failure("Could not start the exporter: " + err.Error())
		case code == exitUsage:
			h.events.failure("Could not run the exporter: its configuration is invalid. The log names every problem. The service does not restart it.")
			return code
		default:
			h.events.failure("The exporter ended with exit code " + itoa(code) + ". The service restarts it. The log says why.")
		}
		select {
		case <-ctx.Done():
			return 0
		case <-time.After(h.restartAfter):
		}
	}
}

// once runs the exporter to its end. The end of its standard input asks it to stop, see run.mjs.
func (h host) once(ctx context.Context, reload <-chan struct{}) (int, error) {
	command := h.command()
	command.Stdout, command.Stderr = h.log, h.log
	input, err := command.StdinPipe()
	if err != nil {
		return 0, err
	}
	if err := command.Start(); err != nil {
		return 0, err
	}
	h.events.info("The exporter started.")
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	for {
		select {
		case <-reload:
			// An exporter that ends at this moment reads the configuration at its next start.
			_, _ = io.WriteString(input, "reload\n")
		case err := <-ended:
			return exitCode(err)
		case <-ctx.Done():
			_ = input.Close()
			select {
			case err := <-ended:
				return exitCode(err)
			case <-time.After(h.stopWithin):
				h.events.failure("The exporter did not stop in time and was killed.")
				_ = command.Process.Kill()
				return exitCode(<-ended)
			}
		}
	}
}

func exitCode(err error) (int, error) {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}
