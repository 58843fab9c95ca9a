# Becomes systemd as process 1 of namespaces of its own, on a throw-away copy of this machine's file system.
# Arguments: the checkout, the folder for what is found. What it mounts and changes is gone with it.
set -e
checkout=$1 out=$2
mount --make-rprivate /
mount -t tmpfs -o size=512m,mode=755 tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
root=/mnt/root
mount -t proc proc $root/proc
# What belongs to the kernel, and so to the whole machine, is only read.
mount --bind $root/proc/sys $root/proc/sys
mount -o remount,bind,ro $root/proc/sys
mount -t sysfs -o ro sysfs $root/sys
mount -t tmpfs tmpfs $root/sys/fs/cgroup
mount -t cgroup2 cgroup2 $root/sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs $root/run
mount -t tmpfs -o mode=1777 tmpfs $root/tmp
mount -t tmpfs -o mode=755 tmpfs $root/dev
for node in null zero full random urandom tty ptmx; do
  touch $root/dev/$node
  mount --bind /dev/$node $root/dev/$node
done
mkdir $root/dev/shm $root/dev/pts
mount -t tmpfs tmpfs $root/dev/shm
mkdir -p $root/opt/local-telemetry $root/out
mount --bind "$checkout" $root/opt/local-telemetry
mount --bind "$out" $root/out

# Nothing of this machine is started: only what the units need, and not what touches devices or the kernel.
units=$root/etc/systemd/system
rm -rf $units
mkdir -p $units
for unit in systemd-sysctl systemd-udevd systemd-udev-trigger systemd-modules-load systemd-random-seed systemd-timesyncd \
  systemd-remount-fs systemd-logind systemd-binfmt systemd-tmpfiles-setup systemd-tmpfiles-setup-dev systemd-update-utmp \
  kmod-static-nodes systemd-hwdb-update systemd-sysusers systemd-pstore systemd-machine-id-commit systemd-journal-flush \
  apparmor systemd-firstboot systemd-boot-system-token modprobe@; do
  ln -s /dev/null $units/$unit.service
done
for unit in dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount \
  sys-fs-fuse-connections.mount proc-sys-fs-binfmt_misc.automount systemd-udevd-control.socket systemd-udevd-kernel.socket; do
  ln -s /dev/null $units/$unit
done
cat > $units/try.target <<UNIT
[Unit]
DefaultDependencies=no
Requires=try.service
UNIT
cat > $units/try.service <<UNIT
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
ExecStart=/bin/bash /out/inside.sh
StandardOutput=file:/out/inside.log
StandardError=file:/out/inside.log
TimeoutStartSec=120
ExecStopPost=/bin/systemctl --force exit
UNIT
mkdir $root/before
cd $root
pivot_root . before
umount -l /before
# As a container's manager leaves it: credentials are mounted, and must be seen by all units.
mount --make-rshared /
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --unit=try.target --show-status=no < /dev/null
