package journal

import "testing"

func TestFUSEMountsOfTheNetworkAreKnown(t *testing.T) {
	const mounts = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
90 22 0:45 / /mnt/a rw,nosuid shared:50 - fuse.sshfs me@host:/data rw,user_id=0
91 22 0:46 / /mnt/b rw,nosuid - fuse.mergerfs a:b rw
92 22 0:47 / /mnt/c rw - fuse rclone:bucket rw
93 22 0:48 / /mnt/d rw - fuse s3fs rw
94 22 8:1 / /mnt/e rw - fuseblk /dev/sda1 rw
`
	for minor, want := range map[uint32]string{45: "fuse.sshfs", 46: "", 47: "fuse", 48: "fuse", 99: ""} {
		if got := networkMount(mounts, 0, minor); got != want {
			t.Errorf("0:%d: %s, want %s", minor, got, want)
		}
	}
	if got := networkMount(mounts, 8, 1); got != "" {
		t.Errorf("a disk: %s", got)
	}
}
