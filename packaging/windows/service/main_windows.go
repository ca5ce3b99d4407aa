package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/eventlog"
	"golang.org/x/sys/windows/svc/mgr"
)

const nodeName = "node.exe"

// Number of every message in the event log; EventCreate.exe carries texts for 1 to 1000.
const eventID = 1

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "install":
			return install()
		case "uninstall":
			return uninstall()
		}
	}
	isService, err := svc.IsWindowsService()
	if err != nil {
		return fmt.Errorf("Could not ask Windows whether this is a service: %w", err)
	}
	if !isService {
		return errors.New("Could not run: the service manager starts this program; see README.txt")
	}
	return svc.Run(serviceName, service{})
}

type service struct{}

// Execute answers the service manager until the exporter has stopped.
func (service) Execute(args []string, requests <-chan svc.ChangeRequest, status chan<- svc.Status) (bool, uint32) {
	status <- svc.Status{State: svc.StartPending}
	executable, err := os.Executable()
	if err != nil {
		return false, uint32(windows.ERROR_FILE_NOT_FOUND)
	}
	log, err := eventlog.Open(serviceName)
	if err != nil {
		return false, uint32(windows.ERROR_EVENTLOG_FILE_CORRUPT)
	}
	defer log.Close()
	settings := settingsFrom(executable, os.Getenv)
	output := settings.openLog()
	defer output.Close()

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	reload := make(chan struct{}, 1)
	ended := make(chan int, 1)
	// Start parameters of the service: args[0] is its name.
	host := newHost(settings, output, windowsEvents{log}, args[1:])
	go func() { ended <- host.run(ctx, reload) }()

	running := svc.Status{State: svc.Running, Accepts: svc.AcceptStop | svc.AcceptShutdown | svc.AcceptParamChange}
	status <- running
	for {
		select {
		case code := <-ended:
			status <- svc.Status{State: svc.StopPending}
			return code != 0, uint32(code)
		case request := <-requests:
			switch request.Cmd {
			case svc.Interrogate:
				status <- request.CurrentStatus
			case svc.ParamChange:
				select {
				case reload <- struct{}{}:
				default: // A reload is already on its way.
				}
				status <- running
			case svc.Stop, svc.Shutdown:
				status <- svc.Status{State: svc.StopPending, WaitHint: uint32((15 * time.Second).Milliseconds())}
				stop()
			}
		}
	}
}

type windowsEvents struct{ log *eventlog.Log }

func (e windowsEvents) info(message string)    { _ = e.log.Info(eventID, message) }
func (e windowsEvents) failure(message string) { _ = e.log.Error(eventID, message) }

// install registers the service under its virtual account, and the source of its events.
func install() error {
	executable, err := os.Executable()
	if err != nil {
		return fmt.Errorf("Could not find this program: %w", err)
	}
	manager, err := mgr.Connect()
	if err != nil {
		return fmt.Errorf("Could not connect to the service manager: %w", err)
	}
	defer func() { _ = manager.Disconnect() }()
	created, err := manager.CreateService(serviceName, executable, mgr.Config{
		DisplayName:      "VB365 exporter",
		Description:      "Prometheus metrics and OpenTelemetry logs of restore sessions in Veeam Backup for Microsoft 365",
		StartType:        mgr.StartAutomatic,
		DelayedAutoStart: true,
		ServiceStartName: `NT SERVICE\` + serviceName,
		SidType:          windows.SERVICE_SID_TYPE_UNRESTRICTED,
	})
	if err != nil {
		return fmt.Errorf("Could not create the service: %w", err)
	}
	defer created.Close()
	// A host that dies is started again; the host itself restarts the exporter.
	restart := mgr.RecoveryAction{Type: mgr.ServiceRestart, Delay: 5 * time.Second}
	if err := created.SetRecoveryActions([]mgr.RecoveryAction{restart}, uint32((24 * time.Hour).Seconds())); err != nil {
		return fmt.Errorf("Could not set the recovery of the service: %w", err)
	}
	if err := eventlog.InstallAsEventCreate(serviceName, eventlog.Error|eventlog.Warning|eventlog.Info); err != nil {
		return fmt.Errorf("Could not register the source of events: %w", err)
	}
	return nil
}

func uninstall() error {
	manager, err := mgr.Connect()
	if err != nil {
		return fmt.Errorf("Could not connect to the service manager: %w", err)
	}
	defer func() { _ = manager.Disconnect() }()
	existing, err := manager.OpenService(serviceName)
	if err != nil {
		return fmt.Errorf("Could not find the service: %w", err)
	}
	defer existing.Close()
	if err := existing.Delete(); err != nil {
		return fmt.Errorf("Could not delete the service: %w", err)
	}
	if err := eventlog.Remove(serviceName); err != nil {
		return fmt.Errorf("Could not remove the source of events: %w", err)
	}
	return nil
}
