package journal

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// networkMagic are the network file systems by the number that statfs gives them,
// those of linux/magic.h and of their own kernel modules.
var networkMagic = map[uint32]string{
	0x6969:     "nfs",
	0x517b:     "smb",
	0xff534d42: "cifs",
	0xfe534d42: "smb2",
	0x564c:     "ncp",
	0x01021997: "9p",
	0x5346414f: "afs",
	0x6b414653: "afs",
	0x73757245: "coda",
	0x00c36400: "ceph",
	0x0bd00bd0: "lustre",
	0x47504653: "gpfs",
	0x7461636f: "ocfs2",
	0x01161970: "gfs2",
	0x786f4256: "vboxsf",
}

// networkFUSE are those that programs provide, by the name that mountinfo has.
var networkFUSE = []string{
	"sshfs", "s3fs", "rclone", "gcsfuse", "goofys", "glusterfs", "davfs", "ceph", "curlftpfs",
	"smbnetfs", "blobfuse", "juicefs", "mount-s3", "geesefs", "moosefs", "beegfs", "onedriver", "google-drive-ocamlfuse",
}

// networkKind names the network file system that the directory lies on, "" if it
// is none that is known.
func networkKind(dir string) (string, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return "", err
	}
	if fs.Type != unix.FUSE_SUPER_MAGIC {
		return networkMagic[uint32(fs.Type)], nil
	}
	var stat unix.Stat_t
	if err := unix.Stat(dir, &stat); err != nil {
		return "", err
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", nil // without /proc, which of them it is cannot be told
	}
	return networkMount(string(mounts), unix.Major(stat.Dev), unix.Minor(stat.Dev)), nil
}

// networkMount finds the device in what proc(5) describes as mountinfo and names
// its file system if it is one of networkFUSE.
func networkMount(mountinfo string, major, minor uint32) string {
	device := fmt.Sprintf("%d:%d", major, minor)
	for line := range strings.Lines(mountinfo) {
		before, after, ok := strings.Cut(line, " - ")
		fields, kind := strings.Fields(before), strings.Fields(after)
		if !ok || len(fields) < 3 || len(kind) < 2 || fields[2] != device {
			continue
		}
		for _, name := range networkFUSE {
			if strings.HasSuffix(kind[0], "."+name) || strings.HasPrefix(kind[1], name+":") || kind[1] == name {
				return kind[0]
			}
		}
	}
	return ""
}
