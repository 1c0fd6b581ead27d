// SPDX-License-Identifier: GPL-2.0-or-later
#include "cryptcab/invite.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "base/cursor.h"
#include "cryptcab/noise.h"
#include "cryptcab/peersdisk.h"

#define PREFIX "vde1-"
#define PREFIX_LEN (sizeof(PREFIX) - 1)
#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define LETTERS                                                \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" \
	"0123456789-_"
#define SUM_LEN 4
#define HEAD_LEN 53
#define ADDR_MAX (1 + 1 + (ADDRESS_HOST_SIZE - 1) + 2)
#define BYTES_MAX (HEAD_LEN + INVITE_ADDRS_MAX * ADDR_MAX + SUM_LEN)

enum {
	KIND_NAME = 1,
	KIND_IPV4 = 4,
	KIND_IPV6 = 6
};

static_assert(sizeof(PREFIX) + (BYTES_MAX * 4 + 2) / 3 <= INVITE_SIZE,
	      "the longest invitation fits");

/* ---- bytes ---- */

static void sum(uint8_t out[static SUM_LEN], const uint8_t *p, size_t len)
{
	crypto_generichash_blake2b_state st;
	uint8_t hash[32];

	crypto_generichash_blake2b_init(&st, NULL, 0, sizeof(hash));
	crypto_generichash_blake2b_update(&st, (const uint8_t *)PREFIX,
					  PREFIX_LEN);
	crypto_generichash_blake2b_update(&st, p, len);
	crypto_generichash_blake2b_final(&st, hash, sizeof(hash));
	memcpy(out, hash, SUM_LEN);
}

/* Bytes that are written one behind the other; room was counted before. */
struct out {
	uint8_t *p;
};

static void put(struct out *o, const void *p, size_t len)
{
	memcpy(o->p, p, len);
	o->p += len;
}

static void put_u8(struct out *o, uint8_t v)
{
	*o->p++ = v;
}

static void put_be16(struct out *o, uint16_t v)
{
	put_u8(o, (uint8_t)(v >> 8));
	put_u8(o, (uint8_t)v);
}

static int put_addr(struct out *o, const struct address *a)
{
	size_t len = strlen(a->host);
	uint8_t ip[16];

	switch (a->kind) {
	case ADDRESS_NAME:
		put_u8(o, KIND_NAME);
		put_u8(o, (uint8_t)len);
		put(o, a->host, len);
		break;
	case ADDRESS_IPV4:
	case ADDRESS_IPV6:
		/* A zone is a name of this machine only. */
		if (inet_pton(a->kind == ADDRESS_IPV4 ? AF_INET : AF_INET6,
			      a->host, ip) != 1)
			return -EINVAL;
		put_u8(o, a->kind == ADDRESS_IPV4 ? KIND_IPV4 : KIND_IPV6);
		put(o, ip, a->kind == ADDRESS_IPV4 ? 4 : 16);
		break;
	case ADDRESS_N_KINDS:
	default:
		return -EINVAL;
	}
	put_be16(o, a->port);
	return 0;
}

int invite_write(char *s, const struct invite *in)
{
	uint8_t bytes[BYTES_MAX];
	struct out o = { bytes };
	int rc = 0;

	if (!in->n_addrs || in->n_addrs > INVITE_ADDRS_MAX ||
	    in->expires > UINT32_MAX)
		return -EINVAL;
	put_u8(&o, in->n_addrs);
	put_be16(&o, (uint16_t)(in->expires >> 16));
	put_be16(&o, (uint16_t)in->expires);
	put(&o, in->key, sizeof(in->key));
	put(&o, in->secret, sizeof(in->secret));
	for (int i = 0; !rc && i < in->n_addrs; i++)
		rc = put_addr(&o, &in->addrs[i]);
	if (!rc) {
		sum(o.p, bytes, (size_t)(o.p - bytes));
		o.p += SUM_LEN;
		memcpy(s, PREFIX, PREFIX_LEN);
		sodium_bin2base64(s + PREFIX_LEN, INVITE_SIZE - PREFIX_LEN,
				  bytes, (size_t)(o.p - bytes), VARIANT);
	}
	sodium_memzero(bytes, sizeof(bytes));
	return rc;
}

/* The address is made a text, which says whether it is one: a name must not
 * be what is an address, so that each has one form only. */
static bool take_addr(struct address *a, struct cursor *c)
{
	uint8_t kind = cursor_u8(c), len = 0;
	char host[INET6_ADDRSTRLEN + 2], text[ADDRESS_SIZE], reason[100];
	struct address parsed;
	const uint8_t *p;
	struct strbuf why;
	uint16_t port;

	memset(a, 0, sizeof(*a));
	if (kind == KIND_NAME)
		len = cursor_u8(c);
	else if (kind == KIND_IPV4 || kind == KIND_IPV6)
		len = kind == KIND_IPV4 ? 4 : 16;
	p = cursor_take(c, len);
	port = cursor_be16(c);
	if (c->bad || !len || len >= sizeof(a->host) || !port)
		return false;
	a->kind = kind == KIND_NAME   ? ADDRESS_NAME
		  : kind == KIND_IPV4 ? ADDRESS_IPV4
				      : ADDRESS_IPV6;
	a->port = port;
	if (kind == KIND_NAME) {
		memcpy(a->host, p, len);
	} else {
		if (!inet_ntop(kind == KIND_IPV4 ? AF_INET : AF_INET6, p, host,
			       sizeof(host)))
			return false;
		(void)str_copy(a->host, sizeof(a->host), host);
	}
	strbuf_init(&why, reason, sizeof(reason));
	return strlen(a->host) >= (kind == KIND_NAME ? len : 1) &&
	       address_parse(&parsed, address_write(text, a), 0, &why) &&
	       address_equal(&parsed, a);
}

static bool take_all(struct invite *in, const uint8_t *p, size_t len)
{
	struct cursor c = { .p = p, .left = len };
	const uint8_t *key, *secret;

	in->n_addrs = cursor_u8(&c);
	in->expires = (uint64_t)cursor_be16(&c) << 16;
	in->expires |= cursor_be16(&c);
	key = cursor_take(&c, sizeof(in->key));
	secret = cursor_take(&c, sizeof(in->secret));
	if (c.bad || !in->n_addrs || in->n_addrs > INVITE_ADDRS_MAX)
		return false;
	memcpy(in->key, key, sizeof(in->key));
	memcpy(in->secret, secret, sizeof(in->secret));
	for (int i = 0; i < in->n_addrs; i++)
		if (!take_addr(&in->addrs[i], &c))
			return false;
	return cursor_done(&c);
}

/* The bytes, without the sum behind them; -1: there is something wrong. */
static int decode(uint8_t *bytes, const char *text, size_t len,
		  struct strbuf *why)
{
	uint8_t want[SUM_LEN];
	const char *end;
	size_t n;

	/* libsodium 1.0.18 takes some bytes above 127 for letters. */
	if (strspn(text, LETTERS) < len ||
	    sodium_base642bin(bytes, BYTES_MAX, text, len, NULL, &n, &end,
			      VARIANT) ||
	    end != text + len || n < SUM_LEN) {
		strbuf_add(why, "a character of it is wrong, or it is cut");
		return -1;
	}
	sum(want, bytes, n - SUM_LEN);
	if (sodium_memcmp(want, bytes + n - SUM_LEN, SUM_LEN) != 0) {
		strbuf_add(why, "its checksum is wrong: a typing error?");
		return -1;
	}
	return (int)(n - SUM_LEN);
}

int invite_parse(struct invite *in, const char *text, struct strbuf *why)
{
	uint8_t bytes[BYTES_MAX];
	size_t len = strlen(text);
	int n = -1;

	memset(in, 0, sizeof(*in));
	if (len && text[len - 1] == '\n')
		len--;
	if (len < PREFIX_LEN || memcmp(text, PREFIX, PREFIX_LEN) != 0)
		strbuf_add(why, "it does not begin with " PREFIX);
	else
		n = decode(bytes, text + PREFIX_LEN, len - PREFIX_LEN, why);
	if (n >= 0 && !take_all(in, bytes, (size_t)n)) {
		strbuf_add(why, "its contents make no sense");
		n = -1;
	}
	sodium_memzero(bytes, sizeof(bytes));
	if (n >= 0)
		return 0;
	sodium_memzero(in, sizeof(*in));
	return -EINVAL;
}

/* ---- the temporary peer ---- */

static void derive(uint8_t out[static KEY64_BYTES], const char *context,
		   const uint8_t secret[static INVITE_SECRET_LEN])
{
	crypto_generichash_blake2b(out, KEY64_BYTES, secret, INVITE_SECRET_LEN,
				   (const uint8_t *)context, strlen(context));
}

void invite_derive(const uint8_t secret[static INVITE_SECRET_LEN],
		   uint8_t private_key[static KEY64_BYTES],
		   uint8_t psk[static KEY64_BYTES])
{
	derive(private_key, "vde_cryptcab invite key", secret);
	derive(psk, "vde_cryptcab invite psk", secret);
}

/* ---- the list ---- */

int invite_list_path(char path[static PATH_MAX], const char *peers_path)
{
	int rc = str_fmt(path, PATH_MAX, "%s" INVITE_SUFFIX, peers_path);

	return rc < 0 ? rc : 0;
}

static const struct peersfile_peer *first_expired(const struct peersfile *f,
						  uint64_t wall)
{
	for (uint32_t i = 0; i < f->n; i++)
		if (f->peers[i].rules.expires &&
		    f->peers[i].rules.expires <= wall)
			return &f->peers[i];
	return NULL;
}

static int add_to_list(struct peersfile_peer *p, const char *path,
		       uint64_t wall, struct strbuf *why)
{
	const struct peersfile_peer *old;
	struct peersdisk d;
	int rc = peersdisk_begin(&d, path, PEERSDISK_WAIT_MS, why);

	if (rc)
		return rc;
	while (!rc && (old = first_expired(d.f, wall)))
		rc = peersdisk_remove(&d, old, why);
	if (!rc)
		rc = peersdisk_enrol(&d, p, why);
	if (!rc)
		return peersdisk_commit(&d, why);
	peersdisk_abort(&d);
	return rc;
}

int invite_open(struct invite *in, const struct peersfile_peer *p,
		const char *peers_path, uint64_t wall, struct strbuf *why)
{
	uint8_t priv[KEY64_BYTES], psk[KEY64_BYTES];
	struct peersfile_peer temp = *p;
	char path[PATH_MAX];
	int rc = invite_list_path(path, peers_path);

	if (rc) {
		strbuf_add(why, "unable to find the invitations: too long a "
				"path");
		return rc;
	}
	randombytes_buf(in->secret, sizeof(in->secret));
	invite_derive(in->secret, priv, psk);
	if (!noise_public(temp.key, priv))
		rc = -EINVAL; /* of no secret that anybody will ever see */
	temp.psk = psk;
	temp.psk_path = NULL;
	temp.addrs = NULL;
	temp.n_addrs = 0;
	temp.rules.expires = in->expires;
	if (!rc)
		rc = add_to_list(&temp, path, wall, why);
	sodium_memzero(priv, sizeof(priv));
	sodium_memzero(psk, sizeof(psk));
	return rc;
}
