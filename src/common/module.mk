LIBS += common
common_SRCS := src/common/loop.c src/common/log.c src/common/cli.c \
	src/common/unixsock.c src/common/daemon.c
