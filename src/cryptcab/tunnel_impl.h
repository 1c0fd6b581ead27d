/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tunnel_impl - what the files of the engine `tunnel` have in common
 *
 *   tunnel.c     configuration, datagrams by their type, names, what is shown
 *   peers.c      peers by key, indices, the heap of deadlines
 *   handshake.c  INIT and RESPONSE, how sessions begin and end
 *   cookie.c     mac1, mac2, COOKIE, who is let through to the curve
 *   session.c    DATA: sealing and opening, frames, what is inside
 *   fragment.c   frames in parts
 *   pathmtu.c    how long a datagram may be
 *   timers.c     what a peer has to do when
 */
#ifndef CRYPTCAB_TUNNEL_IMPL_H
#define CRYPTCAB_TUNNEL_IMPL_H

#include "base/list.h"
#include "cryptcab/noise.h"
#include "cryptcab/replay.h"
#include "cryptcab/tunnel.h"

#define MSEC UINT64_C(1000000)
#define SEC (1000 * MSEC)

/* First bytes; those of VDE 2's cryptcab are below 0x80. */
enum {
	MSG_INIT = 0x81,
	MSG_RESPONSE,
	MSG_COOKIE,
	MSG_DATA
};

#define VERSION 1
#define MAC_LEN 16
#define PAYLOAD_LEN 32
#define INIT_HEAD 8
#define INIT_LEN (INIT_HEAD + 32 + 48 + PAYLOAD_LEN + 16 + 2 * MAC_LEN)
#define RESPONSE_HEAD 12
#define RESPONSE_LEN (RESPONSE_HEAD + 32 + PAYLOAD_LEN + 16 + 2 * MAC_LEN)
#define COOKIE_HEAD 8
#define COOKIE_NONCE 24
#define COOKIE_LEN (COOKIE_HEAD + COOKIE_NONCE + MAC_LEN + 16)
#define DATA_HEAD 16
#define INNER_HEAD 4
#define FRAGMENT_HEAD 16 /* INNER_HEAD included */
#define PARTS_MAX 255
#define DATA_MIN (DATA_HEAD + INNER_HEAD + AEAD_TAG_LEN)
#define COOKIE_LIFE (120 * SEC)
#define PASSIVE_GRACE (10 * SEC) /* the other side renews first */
#define FORGED_MAX (UINT64_C(1) << 36)

/* What a DATA message has in it. */
enum inner {
	IN_FRAME = 1,
	IN_FRAGMENT,
	IN_PING,
	IN_PONG,
	IN_PROBE,
	IN_PROBED,
};

struct tun_session {
	bool live, initiator;
	uint32_t local, remote; /* index that who receives it looks up */
	uint64_t created, counter, forged;
	uint64_t stamp; /* of the INIT that made next */
	struct tunnel_addr addr; /* of a session that waits for its first */
	struct aead tx, rx;
	struct replay replay;
};

struct tun_handshake {
	bool pending, cookie_used;
	uint8_t tries;
	uint32_t local;
	uint64_t sent_at, retry_at;
	uint64_t again_at; /* not before, while none is pending */
	struct noise noise;
	uint8_t msg[INIT_LEN];
};

struct tun_pathmtu {
	uint32_t works, limit; /* that is known; that could be */
	uint32_t probe, id; /* under way, 0: none */
	uint8_t tries;
	bool checking; /* whether what worked still does */
	bool used; /* frames that long were sent since the last check */
	uint64_t due;
	uint64_t searched_at, checked_at;
};

struct tunnel_peer {
	struct tunnel *t;
	struct list by_key;
	uint64_t due;
	uint32_t heap_at;
	bool active, fixed, has_addr, alive;
	struct tunnel_addr addr;
	void *aux;
	/* Three different ones, always; cur sends. */
	struct tun_session *cur, *prev, *next;
	uint64_t heard_at; /* anything authenticated */
	uint64_t sent_at; /* anything in a session */
	uint64_t waiting_since; /* sent and nothing came back, or 0 */
	uint64_t pinged_at, srtt, rttvar;
	uint32_t pings, ping_id, frame_id;
	struct tun_pathmtu mtu;
	uint64_t stamp_sent, stamp_seen, init_at, stale_at;
	uint64_t cookie_at;
	uint32_t mac1_index;
	bool has_cookie;
	uint8_t mac1[MAC_LEN], cookie[MAC_LEN]; /* last sent, last got */
	uint8_t key[TUNNEL_KEY_LEN], psk[TUNNEL_KEY_LEN];
	uint64_t counts[TUNNEL_N_COUNTS];
	struct tun_handshake hs;
	struct tun_session sessions[3];
};

/* Tokens are in nanoseconds of refill. */
struct tun_bucket {
	uint64_t at, tokens;
};

#define HOSTS 1024
#define KNOWN 4096

struct tun_guard {
	struct tun_bucket handshakes, replies;
	struct tun_bucket host[HOSTS];
	uint32_t known[KNOWN]; /* hashes of addresses of peers */
	uint64_t hash_key[2];
	uint8_t mac1_key[32], cookie_key[32];
	uint8_t secret[2][32]; /* of cookies: this one and the last */
	uint64_t secret_at;
};

/* A frame that is being put together. */
struct tun_partial {
	struct tunnel_peer *peer; /* NULL: free */
	uint32_t local, id;
	uint32_t total, unit, last_len;
	uint16_t count, got;
	uint64_t at;
	uint64_t have[4];
	uint8_t *buf; /* with TUNNEL_HEAD in front */
};

struct tun_index_slot {
	uint32_t index; /* 0: free */
	uint32_t next_free;
	struct tunnel_peer *peer;
};

struct tunnel {
	struct tunnel_config cfg;
	uint64_t now;
	int busy; /* inside a callback */
	uint8_t key[TUNNEL_KEY_LEN], pub[TUNNEL_KEY_LEN];
	struct list *buckets; /* peers by key */
	uint32_t n_buckets, n_peers;
	struct tunnel_peer **heap; /* peers by deadline */
	struct tun_index_slot *indices;
	uint32_t n_indices, free_index;
	struct tun_partial *partials;
	uint8_t *scratch; /* datagram_max, for what this side says itself */
	struct tun_guard guard;
	uint64_t counts[TUNNEL_N_COUNTS];
};

/* --- tunnel.c */
void tun_clock(struct tunnel *, uint64_t now);
enum tunnel_count tun_count(struct tunnel *, struct tunnel_peer *,
			    enum tunnel_count);
void tun_random(struct tunnel *, void *p, size_t len);
uint32_t tun_random32(struct tunnel *);
void tun_say(struct tunnel *, struct tunnel_peer *, enum tunnel_event);
void tun_send(struct tunnel *, const struct tunnel_addr *to, const uint8_t *p,
	      size_t len, bool probe);
void tun_put_be32(uint8_t *p, uint32_t v);
void tun_put_be64(uint8_t *p, uint64_t v);
uint32_t tun_get_be32(const uint8_t *p);
uint64_t tun_get_be64(const uint8_t *p);

/* --- peers.c */
struct tunnel_peer *tun_peer_of_index(const struct tunnel *, uint32_t index);
/* 0: no memory. */
uint32_t tun_index_new(struct tunnel_peer *);
void tun_index_free(struct tunnel *, uint32_t index);
void tun_peer_set_due(struct tunnel_peer *, uint64_t due);
/* Not later than @due. */
void tun_peer_due_by(struct tunnel_peer *, uint64_t due);
void tun_peer_set_addr(struct tunnel_peer *, const struct tunnel_addr *);
bool tun_same_addr(const struct tunnel_addr *, const struct tunnel_addr *);

/* --- cookie.c */
void tun_guard_init(struct tunnel *);
/* Writes mac1 and mac2 at the end of a message for @p and remembers them. */
void tun_guard_sign(struct tunnel_peer *, uint8_t *msg, size_t len,
		    uint32_t index);
/* TUNNEL_TAKEN: worth a multiplication. May answer with a cookie. */
enum tunnel_count tun_guard_admit(struct tunnel *,
				  const struct tunnel_addr *from,
				  const uint8_t *msg, size_t len,
				  uint32_t index);
void tun_guard_know(struct tunnel *, const struct tunnel_addr *);
enum tunnel_count tun_cookie_recv(struct tunnel *, const uint8_t *msg,
				  size_t len);

/* --- handshake.c */
void tun_handshake_start(struct tunnel_peer *);
void tun_handshake_stop(struct tunnel_peer *);
enum tunnel_count tun_init_recv(struct tunnel *, const struct tunnel_addr *from,
				const uint8_t *msg, size_t len);
enum tunnel_count tun_response_recv(struct tunnel *,
				    const struct tunnel_addr *from,
				    const uint8_t *msg, size_t len);
void tun_session_clear(struct tunnel_peer *, struct tun_session *);
/* The other side has proved that it has the keys of p->next. */
void tun_session_promote(struct tunnel_peer *);

/* --- session.c */
bool tun_session_usable(const struct tunnel_peer *, const struct tun_session *);
enum tunnel_count tun_data_recv(struct tunnel *, const struct tunnel_addr *from,
				uint8_t *buf, size_t len, uint8_t tos);
void tun_session_ping(struct tunnel_peer *);
/* A datagram of @len bytes with nothing but @kind, @id in it. */
void tun_session_control(struct tunnel_peer *, enum inner kind, uint32_t id,
			 size_t len);
enum tunnel_count tun_deliver(struct tunnel_peer *, uint8_t *frame, size_t len,
			      const struct tunnel_meta *);
/* Seals DATA_HEAD + @len + tag at @msg with the next counter of p->cur. */
void tun_session_seal(struct tunnel_peer *, uint8_t *msg, size_t len);
void tun_session_sent(struct tunnel_peer *, bool frames);

/* --- fragment.c */
enum tunnel_count tun_fragment_recv(struct tunnel_peer *,
				    const struct tun_session *, uint8_t *in,
				    size_t len, const struct tunnel_meta *);
/* Of the session with index @local, or 0: all. */
void tun_fragments_forget(struct tunnel_peer *, uint32_t local);

/* --- pathmtu.c */
void tun_pathmtu_reset(struct tunnel_peer *);
void tun_pathmtu_run(struct tunnel_peer *);
void tun_pathmtu_probed(struct tunnel_peer *, uint32_t id);

/* --- timers.c */
void tun_peer_schedule(struct tunnel_peer *);
void tun_peer_run(struct tunnel_peer *);
/* Something authenticated came. */
void tun_peer_heard(struct tunnel_peer *);
void tun_peer_rtt(struct tunnel_peer *, uint64_t rtt);
uint64_t tun_peer_patience(const struct tunnel_peer *);

#endif
