# What all plugs share: the cable, its ends, the life of the program.
LIBS += cable
cable_SRCS := src/plug/cable.c src/plug/finish.c src/plug/end.c \
	src/plug/end_stream.c src/plug/end_vde.c src/plug/redial.c \
	src/plug/session.c src/plug/ifplug.c
CABLE_LIBS := cable common vdeplug base

PROGS += vde_plug
vde_plug_SRCS := src/plug/vde_plug.c src/plug/child.c src/plug/journal.c
vde_plug_LIBS := seen $(CABLE_LIBS)

LIBS += seen
ENGINES += seen
seen_SRCS := src/plug/seen.c

PROGS += vde_plug2tap
vde_plug2tap_SRCS := src/plug/plug2tap.c
vde_plug2tap_LIBS := $(CABLE_LIBS)

PROGS += vde_tunctl
vde_tunctl_SRCS := src/plug/tunctl.c
vde_tunctl_LIBS := common base

ifeq ($(call with,PCAP),yes)
PROGS += vde_pcapplug
vde_pcapplug_SRCS := src/plug/pcapplug.c src/plug/end_packet.c
vde_pcapplug_LIBS := $(CABLE_LIBS)
vde_pcapplug_LDLIBS := -lpcap
endif
