/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cryptcab - what belongs to one running vde_cryptcab
 *
 *   tunnel   the engine: sessions, datagrams <-> frames (tunnel.h)
 *   udp      the sockets
 *   peers    who may talk to us; each knows its tunnel_peer and, while there
 *            is one, its link
 *   sealer   frames on their way from any link to the sockets (link.h)
 *   trust    who the peers are, from their file
 *   doorman  who may become a peer; NULL: this is a client
 *   client   which server is called, in turn; NULL: this is a server
 *   server   a port of the switch for each client that is up; NULL: a client
 *   commands the console (cmd.h)
 *
 * Each is made by main.c and knows the others through this struct. Time for
 * the engine is cab_now(), which counts sleep; the loop's own does not.
 */
#ifndef CRYPTCAB_CRYPTCAB_H
#define CRYPTCAB_CRYPTCAB_H

#include "common/log.h"
#include "cryptcab/admit.h"
#include "cryptcab/tunnel.h"
#include "plug/ends.h"

#define CAB_NAME_SIZE 64
#define CAB_ADDR_TEXT 80

struct udp;
struct udp_ops;
struct link;
struct sealer;
struct trust;
struct port;
struct client;
struct server;
struct doorman;
struct commands;

/* Where a peer comes from. */
enum cab_kind {
	CAB_PEER, /* the peers file, or the console */
	CAB_INVITED, /* an invitation (doorman.h) */
	CAB_GUEST, /* it knows the secret of -P */
};

enum cab_drop {
	CAB_DROP_NO_LINK, /* from the peer: no port at the switch */
	CAB_DROP_FULL, /* from the peer: the switch does not take it */
	CAB_DROP_CE, /* from the peer: congestion met, and ECN not spoken */
	CAB_DROP_RULES, /* either way: the peers file forbids it (admit.h) */
	CAB_DROP_REFUSED, /* to the peer: an offload that means nothing */
	CAB_DROP_TOO_LONG,
	CAB_DROP_DOWN, /* to the peer: no session */
	CAB_DROP_NET, /* to the peer: the system refused a datagram */
	CAB_N_DROPS
};

/* As words_with_underscores. */
const char *cab_drop_name(enum cab_drop);

struct cryptcab;

struct cab_peer {
	struct list node; /* cab->peers */
	struct cryptcab *cab;
	struct tunnel_peer *tp;
	enum cab_kind kind;
	struct link *link; /* NULL: none now */
	struct port *port; /* the server's: what keeps the link, or NULL */
	struct admit *admit; /* what it may send; the peer's, or NULL: all */
	uint64_t up_since; /* cab_now(); 0: it is not up */
	uint64_t down_since; /* the same; 0: it is up */
	uint64_t leaves_at; /* cab_now(); 0: it stays */
	uint64_t ups; /* how many times it was */
	uint64_t drops[CAB_N_DROPS];
	struct log_limit limit;
	uint8_t key[TUNNEL_KEY_LEN];
	char name[CAB_NAME_SIZE];
};

struct cryptcab {
	struct loop *loop;
	struct tunnel *tunnel;
	struct udp *udp;
	struct sealer *sealer;
	struct client *client;
	struct server *server;
	struct trust *trust; /* the peers file */
	struct doorman *doorman; /* of a server */
	struct commands *commands;
	struct list peers;
	unsigned int n_peers;
	uint32_t pad;
	struct vde_args net; /* of ends at the switch */
	bool streams; /* standard input and output in its place */
	struct loop_timer tick;
	uint64_t tick_due;
	/* When the frames at hand were read: cab_now(), seconds since 1970. */
	uint64_t batch_now, batch_wall;
	uint64_t gone_drops[CAB_N_DROPS]; /* of peers that are no more */
	uint64_t started; /* cab_now() */
	uint8_t key[TUNNEL_KEY_LEN]; /* public */
	struct log_limit strangers;
	uint64_t n_strangers;
	bool is_client; /* also before there is @client */
	bool stopped;
	int status; /* of exit, when the loop has stopped */
};

/* Nanoseconds of CLOCK_BOOTTIME. */
uint64_t cab_now(void);

/* For the frames that are read now. */
void cab_read_clock(struct cryptcab *);

/* Makes the engine, with the private key @key, copied. 0 or -errno. */
int cab_open(struct cryptcab *, const uint8_t key[static TUNNEL_KEY_LEN]);
void cab_close(struct cryptcab *);

/* @psk may be NULL. 0 or -errno of tunnel_peer_add(); the name is copied. */
int cab_peer_add(struct cryptcab *, const char *name,
		 const uint8_t key[static TUNNEL_KEY_LEN], const uint8_t *psk,
		 struct cab_peer **out);
/* Not from inside a callback of the engine. */
void cab_peer_del(struct cab_peer *);
/* Ends its session; it may come again, or is called again. The same. */
void cab_peer_kick(struct cab_peer *);
struct cab_peer *cab_peer_find(const struct cryptcab *, const char *name);

/* For udp_open(), with the struct cryptcab. */
extern const struct udp_ops cab_udp_ops;

/* After anything was done with the engine: its timer. */
void cab_schedule(struct cryptcab *);

/* May a frame pass? Counts it; logs, not too often, who may not and why. */
bool cab_admit(struct cab_peer *, enum admit_dir, const uint8_t *frame,
	       size_t len);

/* Ends the program; the first status counts. */
void cab_stop(struct cryptcab *, int status);

/* "192.0.2.1:7667" or "[2001:db8::1]:7667"; "nowhere" for NULL. Returns @s. */
const char *cab_addr_text(char s[static CAB_ADDR_TEXT],
			  const struct tunnel_addr *);

#endif
