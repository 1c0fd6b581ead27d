/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tunnel - encrypted cables to any number of peers, without sockets
 *
 * Datagrams, frames, the time and random numbers go in; datagrams and frames
 * come out. doc/protocol-cryptcab.md has the messages and why they are as they
 * are. A peer is a public key; addresses are bytes that nobody here looks
 * into. An active peer is one that this side calls: it keeps a session all the
 * time, renews it, and says by events when the other side is dead. A passive
 * one calls us.
 *
 * Nothing is copied but fragments: a frame is sealed where it is, a datagram
 * opened where it is. The caller's part:
 *
 *   sodium_init();                        // once, before anything else
 *   tunnel_defaults(&cfg); cfg.ops = ..; cfg.key = ..; cfg.stamp_base = ..;
 *   tunnel_new(&t, &cfg);
 *   tunnel_peer_add(t, &peer_cfg, now, &p);
 *   for each datagram: tunnel_recv(t, &from, buf, len, tos, now);
 *   for frames of a peer: tunnel_room(p) < len ? tunnel_fragment(p, ..)
 *                                              : tunnel_seal(p, pkts, n, now)
 *                         and send what pkts[] then points to to tunnel_addr(p)
 *   before sleeping: timer at tunnel_next(t); when it is due: tunnel_tick(t)
 *
 * Time is in nanoseconds of a clock that never goes back; it should count
 * sleep, too (CLOCK_BOOTTIME). One that does go back is taken to stand still.
 * Callbacks may call whatever only looks, and frame() may seal for others;
 * -EBUSY answers what adds, removes, calls or hangs up.
 */
#ifndef CRYPTCAB_TUNNEL_H
#define CRYPTCAB_TUNNEL_H

#include "cryptcab/aead.h"

#define TUNNEL_KEY_LEN 32
/* Room before a frame, and after it (without padding). */
#define TUNNEL_HEAD 20
#define TUNNEL_TAIL AEAD_TAG_LEN
#define TUNNEL_OVERHEAD (TUNNEL_HEAD + TUNNEL_TAIL)
/* A datagram that every path takes. */
#define TUNNEL_DATAGRAM_BASE 1200
#define TUNNEL_DATAGRAM_MAX 65507
#define TUNNEL_FRAME_MIN 14
#define TUNNEL_FRAME_MAX 65568
#define TUNNEL_ADDR_MAX 28
#define TUNNEL_NEVER UINT64_MAX

struct tunnel;
struct tunnel_peer;

/* Where a datagram came from or goes to. The first @host_len bytes are what
 * one host has in common, whatever its port: limits are for each of these. */
struct tunnel_addr {
	uint8_t len, host_len;
	uint8_t b[TUNNEL_ADDR_MAX];
};

enum tunnel_event {
	TUNNEL_UP, /* a session, where there was none that lived */
	TUNNEL_REKEYED, /* a session instead of the last */
	TUNNEL_DOWN, /* no answer to pings, or no session any more */
	TUNNEL_NO_ANSWER, /* to a handshake; another one was sent */
	TUNNEL_ROAMED, /* tunnel_addr() is another one */
	TUNNEL_ROOM, /* tunnel_room() is another one */
	TUNNEL_REFUSED, /* no cipher that both sides allow */
	TUNNEL_STRANGER, /* whose key is not known: no peer */
	TUNNEL_N_EVENTS
};

/* What happened to datagrams and frames; those from TUNNEL_BAD_LENGTH on were
 * rejected. */
enum tunnel_count {
	TUNNEL_TAKEN, /* datagrams that were right */
	TUNNEL_RX_FRAMES,
	TUNNEL_RX_BYTES,
	TUNNEL_TX_FRAMES,
	TUNNEL_TX_BYTES,
	TUNNEL_SESSIONS, /* handshakes that made one */
	TUNNEL_COOKIES, /* cookie replies sent */
	TUNNEL_BAD_LENGTH,
	TUNNEL_BAD_TYPE, /* or version, or bits that must be zero */
	TUNNEL_BAD_MAC, /* made by somebody who does not know our key */
	TUNNEL_BAD_COOKIE, /* of another address, or too old */
	TUNNEL_OVERLOAD, /* a handshake that needs a cookie now */
	TUNNEL_TOO_OFTEN, /* more handshakes than one host or peer may */
	TUNNEL_BAD_HANDSHAKE, /* changed, or with other keys */
	TUNNEL_UNKNOWN, /* a client that is no peer */
	TUNNEL_STALE, /* a handshake not newer than the last */
	TUNNEL_NO_SESSION, /* for no session or handshake of ours */
	TUNNEL_EXPIRED, /* for a session that is too old */
	TUNNEL_FORGED,
	TUNNEL_REPLAYED,
	TUNNEL_TOO_OLD, /* further behind than the replay window */
	TUNNEL_BAD_MESSAGE,
	TUNNEL_BAD_FRAGMENT,
	TUNNEL_INCOMPLETE, /* frames of which a fragment did not come */
	TUNNEL_TX_NO_SESSION,
	TUNNEL_TX_TOO_LONG,
	TUNNEL_N_COUNTS
};

/* As words_with_underscores. */
const char *tunnel_event_name(enum tunnel_event);
const char *tunnel_count_name(enum tunnel_count);

/* Of a frame that arrived. */
struct tunnel_meta {
	uint8_t tos; /* as the sender gave it */
	uint8_t outer; /* of the datagram (the last one of a frame in parts) */
};

struct tunnel_ops {
	/* @len bytes that nobody can guess. */
	void (*random)(void *ctx, void *p, size_t len);
	/* A datagram that this side has to say by itself, valid during the
	 * call; must not block. @probe: never to be fragmented, and no error
	 * if it is too long. */
	void (*send)(void *ctx, const struct tunnel_addr *to,
		     const uint8_t *datagram, size_t len, bool probe);
	/* A frame of @p, valid during the call and writable; TUNNEL_HEAD
	 * bytes in front of it may be used, too. */
	void (*frame)(void *ctx, struct tunnel_peer *p, uint8_t *frame,
		      size_t len, const struct tunnel_meta *);
	/* @key is the public one of @p, or of the stranger. */
	void (*event)(void *ctx, struct tunnel_peer *p, enum tunnel_event,
		      const uint8_t key[static TUNNEL_KEY_LEN],
		      const struct tunnel_addr *addr);
};

/* tunnel_defaults() sets all but the first four. Times in nanoseconds. */
struct tunnel_config {
	const struct tunnel_ops *ops;
	void *ctx;
	const uint8_t *key; /* private, TUNNEL_KEY_LEN, copied */
	/* Nanoseconds since 1970 less `now`, at any moment: handshakes carry
	 * the sum. A wrong clock costs one more round trip, once. */
	uint64_t stamp_base;
	/* Memory for keys, as sodium_malloc() and sodium_free(); all sizes
	 * are multiples of 64. */
	void *(*alloc)(size_t);
	void (*free)(void *);
	uint32_t ciphers; /* 1 << aead_cipher for each that is allowed */
	uint32_t max_peers;
	uint32_t datagram_max; /* that the path is probed for */
	uint32_t frame_max; /* that is put together */
	uint32_t pad; /* frames to multiples of it; 0: as they are */
	uint32_t partial_max; /* frames being put together, for all peers */
	uint64_t rekey_after, reject_after;
	uint64_t rekey_packets, reject_packets;
	uint64_t retry_min, retry_max; /* of handshakes */
	uint64_t keepalive; /* of active peers; 0: none */
	uint64_t quiet_after; /* nothing came since we sent: ping */
	uint64_t ping_min, ping_max; /* for an answer to one */
	uint32_t dead_pings; /* without an answer: dead */
	uint64_t probe_again; /* the path's room, while it is used */
	uint32_t handshake_rate; /* a second, without cookies */
	uint32_t host_rate; /* a second and host, with cookies */
	uint32_t cookie_rate; /* replies a second to new addresses */
};

struct tunnel_peer_config {
	const uint8_t *key; /* public */
	const uint8_t *psk; /* NULL: none (zeros) */
	const struct tunnel_addr *addr; /* NULL: not known yet */
	bool active;
	bool fixed; /* stays at @addr, whatever comes from where */
	void *aux; /* tunnel_peer_aux() */
};

struct tunnel_info {
	bool alive; /* as events said */
	bool calling; /* a handshake is under way */
	enum aead_cipher cipher;
	uint64_t session_age, heard_ago, rtt; /* 0: none */
	uint64_t tx_counter;
	uint32_t datagram; /* the longest that the path takes */
	const uint64_t *counts; /* TUNNEL_N_COUNTS, as long as the peer */
};

/* A frame to seal. Before: @data is the frame, with TUNNEL_HEAD bytes in
 * front that may be overwritten and @room bytes behind it. After: @data is the
 * datagram. */
struct tunnel_packet {
	uint8_t *data;
	uint32_t len, room;
	uint8_t tos;
};

void tunnel_defaults(struct tunnel_config *);

/* -EINVAL: a limit that makes no sense, no cipher, a key of zeros; -ENOMEM. */
int tunnel_new(struct tunnel **, const struct tunnel_config *);
void tunnel_free(struct tunnel *);

/* -EEXIST: that key is a peer; -EINVAL: it is ours, or one that cannot be;
 * -ENOSPC: too many; -ENOMEM. */
int tunnel_peer_add(struct tunnel *, const struct tunnel_peer_config *,
		    uint64_t now, struct tunnel_peer **);
int tunnel_peer_del(struct tunnel_peer *);
struct tunnel_peer *tunnel_peer_find(const struct tunnel *,
				     const uint8_t key[static TUNNEL_KEY_LEN]);
void *tunnel_peer_aux(const struct tunnel_peer *);
/* Call it at @addr from now on, at once and whatever was before: a name
 * resolved again. TUNNEL_UP says when it has answered. */
int tunnel_peer_call(struct tunnel_peer *, const struct tunnel_addr *addr,
		     uint64_t now);
/* No call any more; its sessions are forgotten. */
int tunnel_peer_hang_up(struct tunnel_peer *, uint64_t now);
/* Something says that it may be dead (an ICMP error): ping it now. */
void tunnel_peer_doubt(struct tunnel_peer *, uint64_t now);
/* Something says that the path takes no datagram longer than @len. Believed
 * only to be probed. */
void tunnel_peer_too_long(struct tunnel_peer *, size_t len, uint64_t now);

/* NULL: none yet. */
const struct tunnel_addr *tunnel_addr(const struct tunnel_peer *);
void tunnel_peer_info(const struct tunnel_peer *, uint64_t now,
		      struct tunnel_info *);
const uint64_t *tunnel_counts(const struct tunnel *);

/* A datagram that came, @len bytes at @buf, which is overwritten. What it was
 * counted as: TUNNEL_TAKEN, or why not. */
enum tunnel_count tunnel_recv(struct tunnel *, const struct tunnel_addr *from,
			      uint8_t *buf, size_t len, uint8_t tos,
			      uint64_t now);

/* The longest frame that fits one datagram. */
size_t tunnel_room(const struct tunnel_peer *);

/* How many of @n frames were sealed, from the first on. The rest: one that
 * does not fit its datagram (tunnel_room()) or its memory is -EMSGSIZE if it is
 * the first; -ENOTCONN: no session. */
int tunnel_seal(struct tunnel_peer *, struct tunnel_packet *pk, int n,
		uint64_t now);

/* Memory for one frame in parts, and then these. */
struct tunnel_parts {
	uint8_t *buf;
	size_t size;
	struct tunnel_packet *pk;
	int max; /* of @pk */
};

/* One frame (its room does not matter, nothing is overwritten) that is too
 * long for tunnel_seal(), as datagrams: @out->pk[0..], in @out->buf, one behind
 * the other and all but the last of one length: what UDP_SEGMENT wants. Their
 * number; -EMSGSIZE: too little memory, or a frame too short for this or too
 * long for anybody; -ENOTCONN. */
int tunnel_fragment(struct tunnel_peer *, const struct tunnel_packet *frame,
		    const struct tunnel_parts *out, uint64_t now);

/* How many of @pk, from the first on, can go in one UDP_SEGMENT call: of one
 * length and one tos, but the last, which may be shorter. */
int tunnel_run(const struct tunnel_packet *pk, int n);

/* When tunnel_tick() is due, or TUNNEL_NEVER. */
uint64_t tunnel_next(const struct tunnel *);
void tunnel_tick(struct tunnel *, uint64_t now);

#endif
