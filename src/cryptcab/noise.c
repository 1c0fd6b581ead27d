/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * noise - symmetric state and handshake state, as sections 5, 7 and 9 of the
 * Noise Protocol Framework define them
 *
 * Patterns are rows of tokens and walk() is the only place that knows what a
 * token does, for writers and readers alike. HMAC (RFC 2104) is here because
 * Noise wants it over its own hash, BLAKE2b too; the hashes, ciphers and the
 * curve are libsodium's.
 */
#include "cryptcab/noise.h"

#include <errno.h>
#include <string.h>

#include "base/cursor.h"
#include "base/util.h"

#define BLOCK_MAX 128
#define MESSAGES_MAX 3
#define TOKENS_MAX 5

enum token {
	END,
	E,
	S,
	EE,
	ES,
	SE,
	SS,
	PSK
};

struct noise_pattern {
	const char *name;
	bool pre_s; /* the initiator knows the responder's static key */
	bool psk;
	uint8_t messages;
	uint8_t token[MESSAGES_MAX][TOKENS_MAX];
};

/* clang-format off */
static const struct noise_pattern patterns[] = {
	{ "NN", false, false, 2, { { E }, { E, EE } } },
	{ "NNpsk0", false, true, 2, { { PSK, E }, { E, EE } } },
	{ "IK", true, false, 2, { { E, ES, S, SS }, { E, EE, SE } } },
	{ "IKpsk2", true, true, 2, { { E, ES, S, SS }, { E, EE, SE, PSK } } },
	{ "XX", false, false, 3, { { E }, { E, EE, S, ES }, { S, SE } } },
	{ "XXpsk3", false, true, 3,
	  { { E }, { E, EE, S, ES }, { S, SE, PSK } } },
};
/* clang-format on */

union hash_state {
	crypto_generichash_blake2b_state blake2b;
	crypto_hash_sha256_state sha256;
	crypto_hash_sha512_state sha512;
};

struct noise_hash {
	const char *name;
	size_t len, block;
	void (*init)(union hash_state *);
	void (*update)(union hash_state *, const uint8_t *, size_t);
	void (*final)(union hash_state *, uint8_t *);
};

static void blake2b_init(union hash_state *s)
{
	crypto_generichash_blake2b_init(&s->blake2b, NULL, 0, 64);
}

static void blake2b_update(union hash_state *s, const uint8_t *p, size_t len)
{
	crypto_generichash_blake2b_update(&s->blake2b, p, len);
}

static void blake2b_final(union hash_state *s, uint8_t *out)
{
	crypto_generichash_blake2b_final(&s->blake2b, out, 64);
}

static void sha256_init(union hash_state *s)
{
	crypto_hash_sha256_init(&s->sha256);
}

static void sha256_update(union hash_state *s, const uint8_t *p, size_t len)
{
	crypto_hash_sha256_update(&s->sha256, p, len);
}

static void sha256_final(union hash_state *s, uint8_t *out)
{
	crypto_hash_sha256_final(&s->sha256, out);
}

static void sha512_init(union hash_state *s)
{
	crypto_hash_sha512_init(&s->sha512);
}

static void sha512_update(union hash_state *s, const uint8_t *p, size_t len)
{
	crypto_hash_sha512_update(&s->sha512, p, len);
}

static void sha512_final(union hash_state *s, uint8_t *out)
{
	crypto_hash_sha512_final(&s->sha512, out);
}

/* clang-format off */
static const struct noise_hash hashes[] = {
	{ "BLAKE2b", 64, 128, blake2b_init, blake2b_update, blake2b_final },
	{ "SHA256", 32, 64, sha256_init, sha256_update, sha256_final },
	{ "SHA512", 64, 128, sha512_init, sha512_update, sha512_final },
};
/* clang-format on */

/* --- hashes and keys ------------------------------------------------------ */

/* Two parts, as most of what is hashed here has. */
static void hash_two(const struct noise_hash *hash, const uint8_t *a,
		     size_t a_len, const uint8_t *b, size_t b_len, uint8_t *out)
{
	union hash_state st;

	hash->init(&st);
	hash->update(&st, a, a_len);
	if (b_len)
		hash->update(&st, b, b_len);
	hash->final(&st, out);
	sodium_memzero(&st, sizeof(st));
}

/* HMAC with a key no longer than a hash, of @a and @b. */
static void hmac(const struct noise_hash *hash, const uint8_t *key,
		 const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len,
		 uint8_t *out)
{
	uint8_t pad[BLOCK_MAX], inner[NOISE_HASH_MAX];
	union hash_state st;
	size_t i;

	for (i = 0; i < hash->block; i++)
		pad[i] = (i < hash->len ? key[i] : 0) ^ 0x36;
	hash->init(&st);
	hash->update(&st, pad, hash->block);
	hash->update(&st, a, a_len);
	if (b_len)
		hash->update(&st, b, b_len);
	hash->final(&st, inner);
	for (i = 0; i < hash->block; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	hash_two(hash, pad, hash->block, inner, hash->len, out);
	sodium_memzero(pad, sizeof(pad));
	sodium_memzero(inner, sizeof(inner));
	sodium_memzero(&st, sizeof(st));
}

/* HKDF of @ikm with the chaining key as salt: @n outputs, each of a hash. */
static void hkdf(const struct noise *ns, const uint8_t *ikm, size_t len, int n,
		 uint8_t out[][NOISE_HASH_MAX])
{
	const struct noise_hash *hash = ns->hash;
	uint8_t temp[NOISE_HASH_MAX], number;

	hmac(hash, ns->ck, ikm, len, NULL, 0, temp);
	for (int i = 0; i < n; i++) {
		number = (uint8_t)(i + 1);
		if (i == 0)
			hmac(hash, temp, &number, 1, NULL, 0, out[i]);
		else
			hmac(hash, temp, out[i - 1], hash->len, &number, 1,
			     out[i]);
	}
	sodium_memzero(temp, sizeof(temp));
}

static void mix_hash(struct noise *ns, const uint8_t *p, size_t len)
{
	hash_two(ns->hash, ns->h, ns->hash->len, p, len, ns->h);
}

static void set_key(struct noise *ns, const uint8_t *key)
{
	memcpy(ns->k, key, AEAD_KEY_LEN);
	ns->has_key = true;
	ns->nonce = 0;
}

static void mix_key(struct noise *ns, const uint8_t *ikm, size_t len)
{
	uint8_t out[2][NOISE_HASH_MAX];

	hkdf(ns, ikm, len, 2, out);
	memcpy(ns->ck, out[0], ns->hash->len);
	set_key(ns, out[1]);
	sodium_memzero(out, sizeof(out));
}

static void mix_key_and_hash(struct noise *ns, const uint8_t *ikm, size_t len)
{
	uint8_t out[3][NOISE_HASH_MAX];

	hkdf(ns, ikm, len, 3, out);
	memcpy(ns->ck, out[0], ns->hash->len);
	mix_hash(ns, out[1], ns->hash->len);
	set_key(ns, out[2]);
	sodium_memzero(out, sizeof(out));
}

/* What is between the two ends of a message: bytes taken and bytes made. */
struct passage {
	bool writing;
	struct cursor in; /* of a reader: the message */
	uint8_t *out; /* of a writer: where the message goes on */
	size_t left; /* room there */
};

static size_t tag_len(const struct noise *ns)
{
	return ns->has_key ? AEAD_TAG_LEN : 0;
}

/* @len bytes at @p to the end of the message. */
static int put_sealed(struct noise *ns, struct passage *pa, const uint8_t *p,
		      size_t len)
{
	size_t all = len + tag_len(ns);
	struct aead a;

	if (all > pa->left)
		return -ENOBUFS;
	if (ns->has_key) {
		aead_init(&a, ns->cipher, ns->k);
		aead_seal(&a, ns->nonce++, ns->h, ns->hash->len, p, len,
			  pa->out);
		aead_fini(&a);
	} else if (len) {
		memcpy(pa->out, p, len);
	}
	mix_hash(ns, pa->out, all);
	pa->out += all;
	pa->left -= all;
	return 0;
}

/* The next @len bytes of plaintext of the message, to @p. */
static int get_sealed(struct noise *ns, struct passage *pa, uint8_t *p,
		      size_t len)
{
	size_t all = len + tag_len(ns);
	const uint8_t *from = cursor_take(&pa->in, all);
	struct aead a;
	bool ok = true;

	if (!from)
		return -EBADMSG;
	if (ns->has_key) {
		aead_init(&a, ns->cipher, ns->k);
		ok = aead_open(&a, ns->nonce++, ns->h, ns->hash->len, from, all,
			       p);
		aead_fini(&a);
	} else if (len) {
		memcpy(p, from, len);
	}
	mix_hash(ns, from, all);
	return ok ? 0 : -EBADMSG;
}

/* --- tokens --------------------------------------------------------------- */

static int token_e(struct noise *ns, struct passage *pa)
{
	const uint8_t *p;

	if (pa->writing) {
		if (!ns->has_e)
			return -EINVAL;
		if (pa->left < NOISE_KEY_LEN)
			return -ENOBUFS;
		memcpy(pa->out, ns->e_pub, NOISE_KEY_LEN);
		pa->out += NOISE_KEY_LEN;
		pa->left -= NOISE_KEY_LEN;
		p = ns->e_pub;
	} else {
		p = cursor_take(&pa->in, NOISE_KEY_LEN);
		if (!p)
			return -EBADMSG;
		memcpy(ns->re, p, NOISE_KEY_LEN);
		ns->has_re = true;
	}
	mix_hash(ns, p, NOISE_KEY_LEN);
	if (ns->pattern->psk)
		mix_key(ns, p, NOISE_KEY_LEN);
	return 0;
}

static int token_s(struct noise *ns, struct passage *pa)
{
	int rc;

	if (pa->writing)
		return ns->has_s ? put_sealed(ns, pa, ns->s_pub, NOISE_KEY_LEN)
				 : -EINVAL;
	rc = get_sealed(ns, pa, ns->rs, NOISE_KEY_LEN);
	ns->has_rs = rc == 0;
	return rc;
}

/* One of ours times one of theirs: ephemeral keys if @ours_e, @theirs_e. */
static int token_dh(struct noise *ns, bool ours_e, bool theirs_e)
{
	uint8_t shared[NOISE_KEY_LEN];
	int rc;

	if (!(ours_e ? ns->has_e : ns->has_s) ||
	    !(theirs_e ? ns->has_re : ns->has_rs))
		return -EINVAL;
	rc = crypto_scalarmult_curve25519(shared, ours_e ? ns->e : ns->s,
					  theirs_e ? ns->re : ns->rs);
	if (rc == 0)
		mix_key(ns, shared, sizeof(shared));
	sodium_memzero(shared, sizeof(shared));
	return rc == 0 ? 0 : -EKEYREJECTED;
}

static int token_psk(struct noise *ns)
{
	if (!ns->has_psk)
		return -EINVAL;
	mix_key_and_hash(ns, ns->psk, NOISE_KEY_LEN);
	return 0;
}

static int token(struct noise *ns, struct passage *pa, enum token tok)
{
	switch (tok) {
	case E:
		return token_e(ns, pa);
	case S:
		return token_s(ns, pa);
	case EE:
		return token_dh(ns, true, true);
	/* The first letter is the initiator's key, the second the other's. */
	case ES:
		return token_dh(ns, ns->initiator, !ns->initiator);
	case SE:
		return token_dh(ns, !ns->initiator, ns->initiator);
	case SS:
		return token_dh(ns, false, false);
	case PSK:
		return token_psk(ns);
	case END:
		break;
	}
	return 0;
}

static int walk(struct noise *ns, struct passage *pa)
{
	const uint8_t *tok = ns->pattern->token[ns->turn];
	int rc = 0;

	for (int i = 0; i < TOKENS_MAX && tok[i] != END && rc == 0; i++)
		rc = token(ns, pa, (enum token)tok[i]);
	return rc;
}

static bool our_turn(const struct noise *ns, bool writing)
{
	return !noise_done(ns) &&
	       (ns->turn % 2 == 0) == (ns->initiator == writing);
}

/* --- handshakes ----------------------------------------------------------- */

bool noise_public(uint8_t pub[static NOISE_KEY_LEN],
		  const uint8_t priv[static NOISE_KEY_LEN])
{
	return crypto_scalarmult_curve25519_base(pub, priv) == 0;
}

/* Whether @name begins at @p, followed by @end; moves @p behind both. */
static bool word(const char **p, const char *name, char end)
{
	size_t len = strlen(name);

	if (strncmp(*p, name, len) != 0 || (*p)[len] != end)
		return false;
	*p += len + (end ? 1 : 0);
	return true;
}

static bool parse_name(struct noise *ns, const char *p)
{
	size_t i;

	if (!word(&p, "Noise", '_'))
		return false;
	for (i = 0; i < ARRAY_SIZE(patterns); i++)
		if (word(&p, patterns[i].name, '_'))
			break;
	if (i == ARRAY_SIZE(patterns) || !word(&p, "25519", '_'))
		return false;
	ns->pattern = &patterns[i];
	for (i = 0; i < AEAD_N_CIPHERS; i++)
		if (word(&p, aead_name((enum aead_cipher)i), '_'))
			break;
	if (i == AEAD_N_CIPHERS)
		return false;
	ns->cipher = (enum aead_cipher)i;
	for (i = 0; i < ARRAY_SIZE(hashes); i++)
		if (word(&p, hashes[i].name, '\0'))
			break;
	if (i == ARRAY_SIZE(hashes))
		return false;
	ns->hash = &hashes[i];
	return aead_available(ns->cipher);
}

static void keep_keys(struct noise *ns, const struct noise_params *pr)
{
	ns->has_s = pr->s;
	if (pr->s) {
		memcpy(ns->s, pr->s, NOISE_KEY_LEN);
		if (pr->s_pub)
			memcpy(ns->s_pub, pr->s_pub, NOISE_KEY_LEN);
		else
			ns->has_s = noise_public(ns->s_pub, ns->s);
	}
	ns->has_rs = pr->rs;
	if (pr->rs)
		memcpy(ns->rs, pr->rs, NOISE_KEY_LEN);
	if (pr->psk)
		noise_set_psk(ns, pr->psk);
}

int noise_init(struct noise *ns, const struct noise_params *pr)
{
	size_t len = strlen(pr->name);

	memset(ns, 0, sizeof(*ns));
	ns->initiator = pr->initiator;
	if (!parse_name(ns, pr->name))
		return -EPROTONOSUPPORT;
	keep_keys(ns, pr);
	if (ns->pattern->pre_s && !(ns->initiator ? ns->has_rs : ns->has_s)) {
		noise_fini(ns);
		return -EINVAL;
	}
	if (len <= ns->hash->len)
		memcpy(ns->h, pr->name, len);
	else
		hash_two(ns->hash, (const uint8_t *)pr->name, len, NULL, 0,
			 ns->h);
	memcpy(ns->ck, ns->h, sizeof(ns->ck));
	mix_hash(ns, pr->prologue, pr->prologue_len);
	if (ns->pattern->pre_s)
		mix_hash(ns, ns->initiator ? ns->rs : ns->s_pub, NOISE_KEY_LEN);
	return 0;
}

void noise_fini(struct noise *ns)
{
	sodium_memzero(ns, sizeof(*ns));
}

void noise_set_psk(struct noise *ns, const uint8_t psk[static NOISE_KEY_LEN])
{
	memcpy(ns->psk, psk, NOISE_KEY_LEN);
	ns->has_psk = true;
}

void noise_set_ephemeral(struct noise *ns,
			 const uint8_t e[static NOISE_KEY_LEN])
{
	memcpy(ns->e, e, NOISE_KEY_LEN);
	ns->has_e = noise_public(ns->e_pub, ns->e);
}

/* Takes over what @next has become, or forgets it. */
static void settle(struct noise *ns, struct noise *next, int rc)
{
	if (rc >= 0) {
		next->turn++;
		memcpy(ns, next, sizeof(*ns));
	}
	noise_fini(next);
}

int noise_write(struct noise *ns, const uint8_t *payload, size_t len,
		uint8_t *out, size_t size)
{
	struct passage pa = { .writing = true };
	struct noise next;
	int rc;

	if (!our_turn(ns, true))
		return -EPROTO;
	size = size_min(size, NOISE_MESSAGE_MAX);
	pa.out = out;
	pa.left = size;
	memcpy(&next, ns, sizeof(next));
	rc = walk(&next, &pa);
	if (rc == 0)
		rc = put_sealed(&next, &pa, payload, len);
	if (rc == 0)
		rc = (int)(size - pa.left);
	settle(ns, &next, rc);
	return rc;
}

int noise_read(struct noise *ns, const uint8_t *msg, size_t len, uint8_t *out,
	       size_t size)
{
	struct passage pa = { .in = { msg, len, false } };
	struct noise next;
	size_t plain;
	int rc;

	if (!our_turn(ns, false))
		return -EPROTO;
	if (len > NOISE_MESSAGE_MAX)
		return -EBADMSG;
	memcpy(&next, ns, sizeof(next));
	rc = walk(&next, &pa);
	if (rc == 0 && pa.in.left < tag_len(&next))
		rc = -EBADMSG;
	if (rc == 0) {
		plain = pa.in.left - tag_len(&next);
		rc = plain > size ? -ENOBUFS
				  : get_sealed(&next, &pa, out, plain);
		if (rc == 0)
			rc = (int)plain;
	}
	settle(ns, &next, rc);
	return rc;
}

bool noise_done(const struct noise *ns)
{
	return ns->turn == ns->pattern->messages;
}

const uint8_t *noise_remote(const struct noise *ns)
{
	return ns->has_rs ? ns->rs : NULL;
}

size_t noise_transcript(const struct noise *ns,
			uint8_t h[static NOISE_HASH_MAX])
{
	memcpy(h, ns->h, ns->hash->len);
	return ns->hash->len;
}

void noise_split(const struct noise *ns, uint8_t tx[static AEAD_KEY_LEN],
		 uint8_t rx[static AEAD_KEY_LEN])
{
	uint8_t out[2][NOISE_HASH_MAX];

	hkdf(ns, ns->ck, 0, 2, out);
	memcpy(tx, out[ns->initiator ? 0 : 1], AEAD_KEY_LEN);
	memcpy(rx, out[ns->initiator ? 1 : 0], AEAD_KEY_LEN);
	sodium_memzero(out, sizeof(out));
}
