# The engine: datagrams, frames, the time and random numbers in; datagrams and
# frames out. Whoever links it needs libsodium and calls sodium_init() first.
ifeq ($(call with,SODIUM),yes)
LIBS += tunnel
ENGINES += tunnel
tunnel_SRCS := \
	src/cryptcab/aead.c \
	src/cryptcab/noise.c \
	src/cryptcab/replay.c
endif
