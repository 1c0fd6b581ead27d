LIBS += common
common_SRCS := src/common/loop.c src/common/log.c src/common/cli.c \
	src/common/unixsock.c src/common/daemon.c src/common/acceptor.c src/common/writer.c \
	src/common/mgmt.c src/common/linebuf.c src/common/outbuf.c \
	src/common/console.c src/common/console_session.c \
	src/common/console_term.c src/common/console_load.c \
	src/common/packetsock.c src/common/pcapng.c src/common/scribe.c \
	src/common/metrics.c

# Filters of frames: loads libpcap if asked.
LIBS += filter
filter_SRCS := src/common/filter.c
CFLAGS_filter := $(if $(filter yes,$(call with,PCAP)),-DHAVE_PCAP)
