//go:build !windows

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

const nodeName = "node"

// main runs the host in the foreground, for tests on other systems: SIGTERM stands for a stop of the service, SIGHUP for a
// change of its parameters.
func main() {
	executable, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	reload := make(chan struct{})
	go func() {
		for range hangups {
			reload <- struct{}{}
		}
	}()
	settings := settingsFrom(executable, os.Getenv)
	log := settings.openLog()
	code := newHost(settings, log, printedEvents{os.Stdout}, os.Args[1:]).run(ctx, reload)
	_ = log.Close()
	os.Exit(code)
}

type printedEvents struct{ to io.Writer }

func (e printedEvents) info(message string)    { fmt.Fprintln(e.to, "info: "+message) }
func (e printedEvents) failure(message string) { fmt.Fprintln(e.to, "error: "+message) }
