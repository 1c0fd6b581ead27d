/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * noise - handshakes of the Noise Protocol Framework, revision 34
 *
 * A handshake is two or three messages; a pattern says which keys are in each
 * and which of them are multiplied. Everything sent or received is hashed
 * (h), every secret goes into a chain of keys (ck), and the end of both is a
 * key for either direction that only the two owners of the static keys (and
 * of the pre-shared key) can have, for the same view of all messages.
 *
 *   started    noise_init(); who writes first is the initiator
 *   underway   noise_write() and noise_read() in turn; each says -EPROTO
 *              when it is not its turn
 *   done       noise_done() is true: noise_split(), once, then noise_fini()
 *
 * A message that is not right leaves the state as it was: the right one may
 * still come. Patterns: NN, IK, XX, NNpsk0, IKpsk2, XXpsk3 with 25519,
 * ChaChaPoly or AESGCM, BLAKE2b, SHA256 or SHA512. No memory of its own, no
 * random numbers: the caller gives the ephemeral key.
 */
#ifndef CRYPTCAB_NOISE_H
#define CRYPTCAB_NOISE_H

#include "cryptcab/aead.h"

#define NOISE_KEY_LEN 32 /* of 25519 keys and pre-shared ones */
#define NOISE_HASH_MAX 64 /* of BLAKE2b and SHA512 */
#define NOISE_MESSAGE_MAX 65535

struct noise_params {
	const char *name; /* as Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b */
	bool initiator;
	const uint8_t *prologue;
	size_t prologue_len;
	/* Keys of NOISE_KEY_LEN, copied; NULL where the pattern has none. */
	const uint8_t *s; /* private static key of this side */
	const uint8_t *s_pub; /* its public key; NULL: computed */
	const uint8_t *rs; /* public static key of the other side */
	const uint8_t *psk;
};

struct noise_pattern;
struct noise_hash;

/* A secret: wipe with noise_fini(). */
struct noise {
	const struct noise_pattern *pattern;
	const struct noise_hash *hash;
	enum aead_cipher cipher;
	bool initiator;
	bool has_key, has_s, has_e, has_rs, has_re, has_psk;
	uint8_t turn; /* messages so far */
	uint64_t nonce;
	uint8_t ck[NOISE_HASH_MAX], h[NOISE_HASH_MAX];
	uint8_t k[AEAD_KEY_LEN];
	uint8_t s[NOISE_KEY_LEN], s_pub[NOISE_KEY_LEN];
	uint8_t e[NOISE_KEY_LEN], e_pub[NOISE_KEY_LEN];
	uint8_t rs[NOISE_KEY_LEN], re[NOISE_KEY_LEN];
	uint8_t psk[NOISE_KEY_LEN];
};

/* The public key of @priv; false if there is none worth having. */
bool noise_public(uint8_t pub[static NOISE_KEY_LEN],
		  const uint8_t priv[static NOISE_KEY_LEN]);

/* -EPROTONOSUPPORT: no such protocol, or no AES on this machine. -EINVAL: a
 * key is missing that the pattern has before its first message. */
int noise_init(struct noise *, const struct noise_params *);
void noise_fini(struct noise *);

/* The pre-shared key, when it depends on who the other one is: any time
 * before the message that uses it. */
void noise_set_psk(struct noise *, const uint8_t psk[static NOISE_KEY_LEN]);

/* The private ephemeral key for the next message with one: 32 bytes from a
 * good source, never used before. */
void noise_set_ephemeral(struct noise *, const uint8_t e[static NOISE_KEY_LEN]);

/* The next message with @payload, to @out; its length. -ENOBUFS: longer than
 * @size or than a message may be; -EINVAL: a key is missing; -EPROTO: not our
 * turn; -EKEYREJECTED: a key of the other side is one that gives zeros. */
int noise_write(struct noise *, const uint8_t *payload, size_t len,
		uint8_t *out, size_t size);

/* The payload of @msg, to @out; its length. -EBADMSG: too short, or changed,
 * or with other keys; otherwise as noise_write(). */
int noise_read(struct noise *, const uint8_t *msg, size_t len, uint8_t *out,
	       size_t size);

bool noise_done(const struct noise *);

/* Who the other one is, as soon as a message has said so; else NULL. */
const uint8_t *noise_remote(const struct noise *);

/* The hash of all that was said, the same on both sides; its length. */
size_t noise_transcript(const struct noise *, uint8_t h[static NOISE_HASH_MAX]);

/* Keys for what this side sends and what it receives. */
void noise_split(const struct noise *, uint8_t tx[static AEAD_KEY_LEN],
		 uint8_t rx[static AEAD_KEY_LEN]);

#endif
