#!/bin/bash
# private-machine.sh DIR NAME: process 1 of a private machine. Lays the folders of DIR/root over the system's own, then only
# reaps. Its end, which comes when its stdin is closed, takes everything along that runs in the same PID namespace.
# To be run by `unshare --mount --uts --ipc --net --pid --fork --mount-proc`, as root.
set -euo pipefail
dir=$1 name=$2
root=$dir/root
mount --make-rprivate /
ip link set lo up
hostname "$name"

# Bridges are made and found in /sys/class/net, which shows the net namespace in which sysfs was mounted. The old one has to go, not
# only to be covered: libvirt reads /proc/mounts and trips over cgroups that it cannot reach.
mkdir "$dir/cgroup"
mount --rbind /sys/fs/cgroup "$dir/cgroup"
umount -R -l /sys
mount -t sysfs sysfs /sys
mount --move "$dir/cgroup" /sys/fs/cgroup
# Containers do not start where an empty cgroup v2 lies beside the controllers of v1.
if mountpoint -q /sys/fs/cgroup/unified; then umount -R /sys/fs/cgroup/unified; fi

# libvirtd makes it when it is first started; where it never was, there is nothing yet to lay a folder over.
mkdir -p /var/lib/libvirt
for folder in etc run var/log var/cache var/lib/libvirt; do mount --bind "$root/$folder" "/$folder"; done
echo >"$dir/ready"
read -r _ || exit 0
