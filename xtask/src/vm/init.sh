#!/bin/sh
# The first process of the machine: mounts what a node has, runs each test of /core in a process of its own, and turns
# the machine off. A line on the serial port begins with `ok` or `FAILED` for each.
export PATH=/usr/bin HOME=/ RUST_BACKTRACE=0
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
mount -t tmpfs none /tmp
mount -t tmpfs none /run
mount -t cgroup2 none /sys/fs/cgroup
mount -t bpf none /sys/fs/bpf
for module in /modules/*; do
    insmod "$module"
done
ip link set lo up
# Before 5.11 maps count against it.
ulimit -l unlimited
while read -r binary test; do
    if "/tests/$binary" "$test" --exact > /tmp/said 2>&1; then
        echo "ok $binary $test"
        while read -r line; do
            case $line in *verifier:*) echo "verifier:${line#*verifier:}" ;; esac
        done < /tmp/said
    else
        echo "FAILED $binary $test"
        cat /tmp/said
    fi
done < /core
echo everything was run
echo o > /proc/sysrq-trigger
sleep 10
