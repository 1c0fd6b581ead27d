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
# Wires: what a wire does to frames, seen from outside, and the least that a
# delay takes.
BENCHES += wireprobe
wireprobe_SRCS := bench/wireprobe.c bench/wire_rate.c bench/wire_delay.c \
	bench/wire_tcp.c
wireprobe_LIBS := common base
wireprobe_SHARED := vdeplug
BENCHES += delayline
delayline_SRCS := bench/delayline.c
delayline_LIBS := common base
delayline_SHARED := vdeplug
BENCHES += wires
wires_SRCS := bench/wires.c
wires_LIBS := impair common base
wires_LDLIBS := -lm
# What the engine of the encrypted cable costs by itself; not called either.
ifeq ($(call with,SODIUM),yes)
BENCHES += sealbench
sealbench_SRCS := bench/seal.c
sealbench_LIBS := tunnel base
sealbench_LDLIBS := -lsodium
endif
