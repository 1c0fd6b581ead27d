# The engine: datagrams, frames, the time and random numbers in; datagrams and
# frames out. Whoever links it needs libsodium and calls sodium_init() first.
ifeq ($(call with,SODIUM),yes)
LIBS += tunnel
ENGINES += tunnel
tunnel_SRCS := $(addprefix src/cryptcab/,aead.c cookie.c fragment.c \
	handshake.c noise.c pathmtu.c peers.c replay.c session.c timers.c \
	tunnel.c)
endif

# What clients may send, and what is to be marked in it: an engine of its own,
# which needs nothing.
LIBS += admit
ENGINES += admit
admit_SRCS := src/cryptcab/admit.c src/cryptcab/tos.c

# Keys, peers, invitations: text in, structs out, and thin layers of files and
# processes below. A part of the program, and of its tests.
ifeq ($(call with,SODIUM),yes)
LIBS += cabkeys
cabkeys_SRCS := $(addprefix src/cryptcab/,address.c enrol.c enrol_run.c \
	invite.c invite_cmd.c join.c join_ask.c key64.c keyfile.c \
	peersdisk.c peersfile.c privfile.c utcdate.c)
endif

ifeq ($(call with,SODIUM),yes)
PROGS += vde_cryptcab
vde_cryptcab_SRCS := $(addprefix src/cryptcab/,cab.c client.c contact.c cmd.c \
	cmd_general.c cmd_peer.c doorman.c keymem.c metrics.c \
	link.c main.c options.c privileges.c resolve.c server.c \
	switchmgmt.c trust.c udp.c vlanport.c)
vde_cryptcab_LIBS := tunnel admit cabkeys cable term common vdeplug base
vde_cryptcab_LDLIBS := -lsodium
endif
