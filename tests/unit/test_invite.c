// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Invitation strings: one text for one invitation, and no mistake in it goes
 * unnoticed. The list of those that are open.
 */
#include "cryptcab/invite.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cryptcab/noise.h"
#include "cryptcab/peersdisk.h"
#include "test.h"

static char text[INVITE_SIZE + 8], reason[600];
static struct strbuf why;

static struct strbuf *anew(void)
{
	strbuf_init(&why, reason, sizeof(reason));
	return &why;
}

static void add(struct invite *in, const char *addr)
{
	CHECK(address_parse(&in->addrs[in->n_addrs++], addr, 7667, anew()));
}

static struct invite sample(void)
{
	struct invite in = { .expires = 0x6a5b4c3d };

	for (int i = 0; i < KEY64_BYTES; i++)
		in.key[i] = (uint8_t)i;
	memset(in.secret, 0xa5, sizeof(in.secret));
	add(&in, "192.0.2.1:7667");
	add(&in, "[2001:db8::1]:65535");
	add(&in, "a.example:1");
	return in;
}

static bool same(const struct invite *a, const struct invite *b)
{
	bool ok = a->n_addrs == b->n_addrs && a->expires == b->expires &&
		  !memcmp(a->key, b->key, KEY64_BYTES) &&
		  !memcmp(a->secret, b->secret, INVITE_SECRET_LEN);

	for (int i = 0; ok && i < a->n_addrs; i++)
		ok = address_equal(&a->addrs[i], &b->addrs[i]);
	return ok;
}

static void what_is_written_is_read(void)
{
	struct invite in = sample(), out;

	CHECK(!invite_write(text, &in));
	CHECK(!strncmp(text, "vde1-A2pbTD0AAQID", 17));
	CHECK(!invite_parse(&out, text, anew()) && same(&in, &out));
	text[strlen(text) + 1] = '\0';
	text[strlen(text)] = '\n';
	CHECK(!invite_parse(&out, text, anew()));
}

static void the_longest_has_room(void)
{
	struct invite in = sample(), out;

	in.n_addrs = INVITE_ADDRS_MAX;
	for (int i = 0; i < INVITE_ADDRS_MAX; i++) {
		struct address *a = &in.addrs[i];

		*a = (struct address){ .kind = ADDRESS_NAME, .port = 65535 };
		memset(a->host, 'a' + i, ADDRESS_HOST_SIZE - 1);
		a->host[63] = a->host[127] = a->host[191] = '.';
	}
	CHECK(!invite_write(text, &in) && strlen(text) < INVITE_SIZE);
	CHECK(!invite_parse(&out, text, anew()) && same(&in, &out));
}

static void every_character_counts(void)
{
	static char chars[256];
	struct invite in = sample(), out;
	size_t len;

	for (int c = 1; c < 256; c++)
		chars[c - 1] = (char)c;
	CHECK(!invite_write(text, &in));
	len = strlen(text);
	for (size_t i = 0; i < len; i++) {
		char was = text[i];

		for (const char *c = chars; *c; c++) {
			if (*c == was || (i == len - 1 && *c == '\n'))
				continue;
			text[i] = *c;
			CHECK(invite_parse(&out, text, anew()) == -EINVAL);
			CHECK(reason[0] && !strstr(reason, text));
			CHECK(sodium_is_zero(out.secret, INVITE_SECRET_LEN));
		}
		text[i] = was;
	}
	for (size_t i = 0; i < len; i++) {
		char was = text[i];

		text[i] = '\0';
		CHECK(invite_parse(&out, text, anew()) == -EINVAL);
		text[i] = was;
	}
	text[len] = 'A';
	text[len + 1] = '\0';
	CHECK(invite_parse(&out, text, anew()) == -EINVAL);
}

static void what_cannot_be_said_is_not_written(void)
{
	struct invite in = sample();

	in.n_addrs = 0;
	CHECK(invite_write(text, &in) == -EINVAL);
	in.n_addrs = INVITE_ADDRS_MAX + 1;
	CHECK(invite_write(text, &in) == -EINVAL);
	in.n_addrs = 0;
	add(&in, "[fe80::1%eth0]:1");
	CHECK(invite_write(text, &in) == -EINVAL);
	in = sample();
	in.expires = UINT64_C(1) << 32;
	CHECK(invite_write(text, &in) == -EINVAL);
}

/* Bytes with a right checksum and wrong contents. */
static bool refuses_bytes(uint8_t *p, size_t len)
{
	crypto_generichash_blake2b_state st;
	struct invite out;
	uint8_t hash[32];

	crypto_generichash_blake2b_init(&st, NULL, 0, 32);
	crypto_generichash_blake2b_update(&st, (const uint8_t *)"vde1-", 5);
	crypto_generichash_blake2b_update(&st, p, len);
	crypto_generichash_blake2b_final(&st, hash, 32);
	memcpy(p + len, hash, 4);
	memcpy(text, "vde1-", 5);
	sodium_bin2base64(text + 5, sizeof(text) - 5, p, len + 4,
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	return invite_parse(&out, text, anew()) == -EINVAL &&
	       strstr(reason, "contents");
}

static void contents_that_make_no_sense_are_refused(void)
{
	uint8_t p[400] = { 1 };

	p[53] = 4;
	p[54] = 10;
	p[58] = p[59] = 1;
	CHECK(!refuses_bytes(p, 60)); /* as it should be */
	CHECK(refuses_bytes(p, 59));
	CHECK(refuses_bytes(p, 61));
	CHECK(refuses_bytes(p, 52));
	CHECK(refuses_bytes(p, 0));
	p[0] = 0;
	CHECK(refuses_bytes(p, 53));
	p[0] = 9;
	CHECK(refuses_bytes(p, 60));
	p[0] = 1;
	p[58] = p[59] = 0; /* port 0 */
	CHECK(refuses_bytes(p, 60));
	p[59] = 1;
	p[53] = 5; /* no such kind */
	CHECK(refuses_bytes(p, 60));
	/* A name that is an address, is empty, has a NUL or a dash first. */
	memcpy(p + 53,
	       "\1\7"
	       "1.2.3.4\0\1",
	       11);
	CHECK(refuses_bytes(p, 64));
	memcpy(p + 53, "\1\0\0\1", 4);
	CHECK(refuses_bytes(p, 57));
	memcpy(p + 53, "\1\3a\0b\0\1", 7);
	CHECK(refuses_bytes(p, 60));
	memcpy(p + 53, "\1\3-ab\0\1", 7);
	CHECK(refuses_bytes(p, 60));
	memcpy(p + 53,
	       "\1\3"
	       "a-b\0\1",
	       7);
	CHECK(!refuses_bytes(p, 60));
}

static void a_secret_is_one_pair_of_keys(void)
{
	uint8_t secret[INVITE_SECRET_LEN] = { 1 };
	uint8_t k[4][KEY64_BYTES];

	invite_derive(secret, k[0], k[1]);
	secret[15]++;
	invite_derive(secret, k[2], k[3]);
	for (int i = 0; i < 4; i++)
		for (int j = 0; j < i; j++)
			CHECK(memcmp(k[i], k[j], KEY64_BYTES) != 0);
}

static void an_open_one_is_in_the_list(void)
{
	static char dir[] = "/tmp/vde-invite.XXXXXX";
	static const uint16_t tagged[] = { 3, 4 };
	struct peersfile_peer p = { .name = "bob",
				    .rules = { .untagged = 2,
					       .tagged = tagged,
					       .n_tagged = 2,
					       .rate = 77 } };
	uint8_t priv[KEY64_BYTES], psk[KEY64_BYTES], pub[KEY64_BYTES];
	char peers[64], list[PATH_MAX];
	struct peersfile *f = NULL;
	struct invite in = sample(), second = sample();
	struct stat st;

	CHECK(mkdtemp(dir) != NULL);
	(void)str_fmt(peers, sizeof(peers), "%s/peers", dir);
	CHECK(!invite_list_path(list, peers));
	in.expires = 2000;
	CHECK(!invite_open(&in, &p, peers, 1000, anew()));
	CHECK(!stat(list, &st) && (st.st_mode & 0777) == 0600);
	CHECK(stat(peers, &st) != 0);
	CHECK(!peersdisk_load(&f, list, anew()) && f->n == 1);
	invite_derive(in.secret, priv, psk);
	CHECK(noise_public(pub, priv));
	CHECK(!memcmp(f->peers[0].key, pub, KEY64_BYTES));
	CHECK(!memcmp(f->peers[0].psk, psk, KEY64_BYTES));
	CHECK(!strcmp(f->peers[0].name, "bob"));
	CHECK(f->peers[0].rules.expires == 2000);
	CHECK(f->peers[0].rules.untagged == 2 && f->peers[0].rules.rate == 77);
	peersfile_free(f);
	/* The next one gets another secret, and those of old leave. */
	second.expires = 3000;
	CHECK(!invite_open(&second, &p, peers, 1999, anew()));
	CHECK(memcmp(in.secret, second.secret, INVITE_SECRET_LEN) != 0);
	CHECK(!peersdisk_load(&f, list, anew()) && f->n == 2);
	peersfile_free(f);
	CHECK(!invite_open(&in, &p, peers, 2000, anew()));
	CHECK(!peersdisk_load(&f, list, anew()) && f->n == 2);
	peersfile_free(f);
	unlink(list);
	rmdir(dir);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	RUN(what_is_written_is_read);
	RUN(the_longest_has_room);
	RUN(every_character_counts);
	RUN(what_cannot_be_said_is_not_written);
	RUN(contents_that_make_no_sense_are_refused);
	RUN(a_secret_is_one_pair_of_keys);
	RUN(an_open_one_is_in_the_list);
	DONE();
}
