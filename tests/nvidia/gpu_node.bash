# gpu_node.bash FOLDER PROGRAM...: run a program as if on the GPU node that FOLDER describes, in a mount namespace of
# its own (the caller has made it). NVIDIA's programs read fixed places: /proc/modules, /proc/driver, /sys/bus/pci and
# /var/lib/kubelet/device-plugins. A cover is laid over each; the machine itself stays as it is.
set -euo pipefail
folder=$1
shift
mount -t tmpfs none /var/lib
mkdir -p /var/lib/kubelet/device-plugins
mkdir -p "$folder/real-proc" "$folder/proc"
mount --rbind /proc "$folder/real-proc"
mount -t tmpfs none "$folder/proc"
for entry in self thread-self sys cpuinfo meminfo stat mounts filesystems uptime version loadavg cmdline net cgroups; do
  ln -s "$folder/real-proc/$entry" "$folder/proc/$entry"
done
mkdir -p "$folder/proc/driver/nvidia-caps"
cp "$folder/mig-minors" "$folder/proc/driver/nvidia-caps/mig-minors"
printf 'nvidia_uvm 4000000 0 - Live 0x0\nnvidia 60000000 1 nvidia_uvm, Live 0x0\n' > "$folder/proc/modules"
mount --move "$folder/proc" /proc
mount -t tmpfs none /sys/bus
mkdir -p /sys/bus/pci
ln -s "$folder/pci" /sys/bus/pci/devices
exec "$@"
