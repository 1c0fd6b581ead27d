# libvdeplug is complete in itself, static and shared: strangers link it, so
# it brings the parts of base that it needs.
LIBS += vdeplug
SHLIBS += vdeplug
vdeplug_SOVER := 2
vdeplug_MAP := src/lib/libvdeplug.map
vdeplug_SRCS := src/lib/vdeplug.c src/lib/locator.c src/lib/defaults.c \
	src/lib/dgram.c src/lib/conn_switch.c src/lib/plan.c src/lib/conn_ptp.c \
	src/lib/conn_ring.c src/lib/conn_tap.c src/lib/conn_udp.c src/lib/conn_cmd.c \
	src/lib/conn_null.c src/lib/conn_seqpacket.c src/lib/conn_plugin.c \
	src/lib/sockfile.c src/lib/spawn.c src/lib/stream.c \
	src/base/num.c src/base/strbuf.c src/base/wire.c src/base/stream.c \
	src/base/ring.c src/base/ringmap.c \
	src/base/csum.c src/base/inet.c src/base/tunnel.c \
	src/base/offload.c src/base/gro.c
