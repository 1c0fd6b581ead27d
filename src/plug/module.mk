# What all plugs share: the cable, its ends, the life of the program.
LIBS += cable
cable_SRCS := src/plug/cable.c src/plug/end_stream.c src/plug/end_vde.c \
	src/plug/session.c
CABLE_LIBS := cable common vdeplug base
