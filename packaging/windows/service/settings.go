package main

import (
	"io"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"gopkg.in/natefinch/lumberjack.v2"
)

// settings are the paths of an installation.
type settings struct {
	// Folder of node.exe, run.mjs and this program.
	program string
	// Folder of configuration, secrets, state and logs.
	data string
}

// settingsFrom takes %ProgramData% from the environment; without it, Windows' own default.
func settingsFrom(executable string, getenv func(string) string) settings {
	programData := getenv("ProgramData")
	if programData == "" {
		programData = `C:\ProgramData`
	}
	return settings{program: filepath.Dir(executable), data: filepath.Join(programData, serviceName)}
}

// command starts the exporter. extra are further options, such as --web.listen-address.
func (s settings) command(extra []string) *exec.Cmd {
	arguments := []string{
		// Reduces resident memory; see docs/adr/0050.
		"--max-semi-space-size=16",
		filepath.Join(s.program, "run.mjs"),
		"serve",
		"--config.file=" + filepath.Join(s.data, "vb365-exporter.yaml"),
	}
	command := exec.Command(filepath.Join(s.program, nodeName), append(arguments, extra...)...)
	command.Dir = s.data
	return command
}

// openLog opens the log file, which is rotated at 10 MB; 5 old ones are kept.
func (s settings) openLog() io.WriteCloser {
	return &lumberjack.Logger{
		Filename:   filepath.Join(s.data, "logs", "vb365-exporter.log"),
		MaxSize:    10,
		MaxBackups: 5,
		LocalTime:  true,
	}
}

// newHost makes a host with the waits of a service.
func newHost(s settings, log io.Writer, events events, extra []string) host {
	return host{
		command:      func() *exec.Cmd { return s.command(extra) },
		log:          log,
		events:       events,
		restartAfter: 5 * time.Second,
		stopWithin:   10 * time.Second,
	}
}

func itoa(number int) string { return strconv.Itoa(number) }
