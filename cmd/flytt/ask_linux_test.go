package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal returns both ends of a new terminal: the person's and the program's.
func terminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { person.Close() })
	fd := int(person.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Skip(err)
	}
	name, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Skip(err)
	}
	program, err = os.OpenFile(filepath.Join("/dev/pts", strconv.Itoa(name)), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	return person, program
}

// talk types at every question what reply returns, and returns what the terminal showed
// until it was closed.
func talk(t *testing.T, person *os.File, reply func() string) string {
	t.Helper()
	said := ""
	for r := bufio.NewReader(person); ; {
		c, err := r.ReadByte()
		if err != nil {
			return said
		}
		if said += string(c); strings.HasSuffix(said, "[y/N] ") {
			if _, err := person.WriteString(reply()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// atTerminal starts flytt in dir at a terminal, with a file to import and an API that is
// not on this machine. It ends after a while at the latest.
func atTerminal(t *testing.T, dir string, environment []string, args ...string) (cmd *exec.Cmd, person *os.File) {
	t.Helper()
	for name, text := range map[string]string{
		"in.csv":       "Namn;Titel;Kund\nBo Ek;VD;6f9a3c1e-0000-4000-8000-000000000001\n",
		"mapping.yaml": "resource: externalclientcontactperson\nfields: {name: Namn, title: Titel, external_client.id: Kund}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	person, program := terminal(t)
	defer program.Close()
	cmd = exec.Command("flytt", append(args, "--base-url", "https://api.example.invalid")...)
	cmd.Dir, cmd.Stdin, cmd.Stderr = dir, program, program
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	cmd.Env = append(append(os.Environ(), environment...), "FLYTT_KEY_DIR="+filepath.Join(dir, "key"))
	for _, name := range credentialNames {
		cmd.Env = append(cmd.Env, name+"=x")
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
	t.Cleanup(func() { stop.Stop() })
	return cmd, person
}

func TestCtrlCEndsAQuestionAtOnce(t *testing.T) {
	for _, args := range [][]string{
		{"import", "in.csv", "-m", "mapping.yaml"},
		{"record", "delete", "6f9a3c1e-0000-4000-8000-000000000001", "--resource", "externalclientcontactperson"},
	} {
		t.Run(args[0], func(t *testing.T) {
			dir := t.TempDir()
			cmd, person := atTerminal(t, dir, nil, args...)
			said := talk(t, person, func() string { return "\x03" })
			if code := exitStatus(cmd.Wait()); code != exitInterrupted {
				t.Errorf("exit code %d, want %d; it said:\n%s", code, exitInterrupted, said)
			}
			if strings.Contains(said, drainingText) || !strings.Contains(said, "interrupted: nothing was") {
				t.Errorf("it said:\n%s", said)
			}
			if _, err := os.Stat(filepath.Join(dir, runsDir)); !os.IsNotExist(err) {
				t.Errorf("a run is left: %v", err)
			}
		})
	}
}
