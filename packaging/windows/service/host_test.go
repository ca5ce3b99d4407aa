package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// recorded collects events and output of a host.
type recorded struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (r *recorded) Write(data []byte) (int, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.text.Write(data)
}
func (r *recorded) info(message string)    { _, _ = r.Write([]byte("info: " + message + "\n")) }
func (r *recorded) failure(message string) { _, _ = r.Write([]byte("error: " + message + "\n")) }
func (r *recorded) String() string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.text.String()
}

// started runs a host on a shell script in the background; stop asks it to stop and returns its exit code.
func started(script string, said *recorded, reload chan struct{}) (stop func() int, ended chan int) {
	ctx, cancel := context.WithCancel(context.Background())
	ended = make(chan int, 1)
	h := host{
		command:      func() *exec.Cmd { return exec.Command("sh", "-c", script) },
		log:          said,
		events:       said,
		restartAfter: 10 * time.Millisecond,
		stopWithin:   200 * time.Millisecond,
	}
	go func() { ended <- h.run(ctx, reload) }()
	return func() int { cancel(); return <-ended }, ended
}

func eventually(t *testing.T, said *recorded, part string, times int) {
	t.Helper()
	for range 500 {
		if strings.Count(said.String(), part) >= times {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("not said %d times: %q in\n%s", times, part, said)
}

func TestTheEndOfInputStopsTheExporter(t *testing.T) {
	said := &recorded{}
	stop, _ := started("echo up; cat >/dev/null; echo stopped; exit 3", said, nil)
	eventually(t, said, "up", 1)
	if code := stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	eventually(t, said, "stopped", 1)
	eventually(t, said, "info: The exporter stopped.", 1)
}

func TestAReloadIsALineOfInput(t *testing.T) {
	said := &recorded{}
	reload := make(chan struct{}, 1)
	stop, _ := started("while read line; do echo got $line; done", said, reload)
	reload <- struct{}{}
	eventually(t, said, "got reload", 1)
	stop()
}

func TestAnExporterThatFailsIsRestarted(t *testing.T) {
	said := &recorded{}
	stop, _ := started("exit 1", said, nil)
	eventually(t, said, "error: The exporter ended with exit code 1.", 3)
	stop()
}

func TestAnInvalidConfigurationIsNotRetried(t *testing.T) {
	said := &recorded{}
	_, ended := started("exit 2", said, nil)
	if code := <-ended; code != 2 {
		t.Errorf("exit code %d", code)
	}
	eventually(t, said, "its configuration is invalid", 1)
}

func TestAnExporterThatDoesNotStopIsKilled(t *testing.T) {
	said := &recorded{}
	stop, _ := started("echo up; exec sleep 60", said, nil)
	eventually(t, said, "up", 1)
	begin := time.Now()
	stop()
	if time.Since(begin) > 5*time.Second {
		t.Error("took too long")
	}
	eventually(t, said, "was killed", 1)
}

func TestAProgramThatIsMissingIsReported(t *testing.T) {
	said := &recorded{}
	ctx, cancel := context.WithCancel(context.Background())
	h := host{command: func() *exec.Cmd { return exec.Command("/nowhere") }, log: said, events: said, restartAfter: time.Millisecond}
	go func() { eventually(t, said, "error: Could not start the exporter", 2); cancel() }()
	h.run(ctx, nil)
}

func TestPathsDefaultToProgramData(t *testing.T) {
	environment := map[string]string{"ProgramData": filepath.Join("D:", "Data")}
	given := settingsFrom(filepath.Join("program", "service"), func(name string) string { return environment[name] })
	if given.data != filepath.Join("D:", "Data", "vb365-exporter") || given.program != "program" {
		t.Errorf("%+v", given)
	}
	if byDefault := settingsFrom("service", func(string) string { return "" }); !strings.HasPrefix(byDefault.data, `C:\ProgramData`) {
		t.Errorf("%+v", byDefault)
	}
	command := given.command([]string{"--log.level=debug"})
	want := []string{"serve", "--config.file=" + filepath.Join(given.data, "vb365-exporter.yaml"), "--log.level=debug"}
	if got := command.Args[3:]; strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%q", got)
	}
}

func TestTheLogIsRotatedAndOldOnesGo(t *testing.T) {
	data := t.TempDir()
	log := settings{data: data}.openLog()
	line := bytes.Repeat([]byte("x"), 1024*1024)
	for range 85 {
		if _, err := log.Write(line); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
	_ = log.Close()
	var files []os.DirEntry
	for range 200 { // Old files are deleted in the background.
		files, _ = os.ReadDir(filepath.Join(data, "logs"))
		if len(files) == 6 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d files", len(files))
}
