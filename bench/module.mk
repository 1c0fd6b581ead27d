# Load for the benchmark, not installed. It takes libvdeplug as a stranger
# would: from LD_LIBRARY_PATH, ours or the distribution's.
BENCHES += vdeload
vdeload_SRCS := bench/load.c bench/traffic.c bench/pingpong.c \
	bench/connect.c bench/hold.c bench/start.c bench/udp.c bench/probe.c
vdeload_LIBS := common base
vdeload_SHARED := vdeplug
# What base/offload costs by itself; bench/run does not call it.
BENCHES += offloadbench
offloadbench_SRCS := bench/offload.c
offloadbench_LIBS := base
