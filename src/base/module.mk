LIBS += base
base_SRCS := src/base/hash.c src/base/num.c src/base/quote.c src/base/strbuf.c \
	src/base/ether.c src/base/wire.c src/base/frame.c src/base/stream.c \
	src/base/csum.c src/base/inet.c src/base/tunnel.c \
	src/base/offload.c src/base/gro.c src/base/ring.c src/base/ringmap.c \
	src/base/rng.c
