/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_noise_protocol - handshakes against known answers
 *
 * noise_vectors.json was made by noise_vectors.py, which is another program on
 * other libraries; the published vectors (the cacophony set) are not part of
 * this tree and are used if they are in $NOISE_VECTORS or, by default, in
 * ../shared/data. Both files have the same form.
 */
#include "cryptcab/noise.h"

#include <errno.h>
#include <string.h>

#include "base/num.h"
#include "base/strbuf.h"
#include "test.h"

#define OURS "tests/unit/noise_vectors.json"
#define SCRIPT "tests/unit/noise_vectors.py"
#define PUBLISHED "../shared/data/noise-cacophony.json"
#define BYTES_MAX 256
#define MESSAGES 8

struct bytes {
	uint8_t p[BYTES_MAX];
	size_t len;
	bool there;
};

/* One of each for the initiator and the responder. */
struct vector {
	char name[80];
	struct bytes prologue[2], s[2], e[2], rs[2], psk[2];
	struct bytes hash, payload[MESSAGES], cipher[MESSAGES];
	int messages;
};

static char *slurp(FILE *f, size_t *len)
{
	size_t size = 1 << 20;
	char *p = malloc(size);

	*len = p && f ? fread(p, 1, size - 1, f) : 0;
	if (p)
		p[*len] = '\0';
	return p;
}

static void set_hex(struct bytes *b, const char *s)
{
	size_t len = strlen(s);

	b->there = true;
	b->len = len / 2;
	CHECK(len % 2 == 0 && b->len <= BYTES_MAX);
	for (size_t i = 0; i < b->len && i < BYTES_MAX; i++)
		b->p[i] = (uint8_t)(hex_digit(s[2 * i]) << 4 |
				    hex_digit(s[2 * i + 1]));
}

/* The next string in quotes, cut out of @p. */
static char *next_string(char **p)
{
	char *from = strchr(*p, '"'), *to = from ? strchr(from + 1, '"') : NULL;

	if (!to)
		return NULL;
	*to = '\0';
	*p = to + 1;
	return from + 1;
}

static void set_field(struct vector *v, const char *key, const char *value)
{
	int side = strncmp(key, "resp_", 5) == 0;
	const char *what = key + 5;

	if (strcmp(key, "handshake_hash") == 0)
		set_hex(&v->hash, value);
	else if (strcmp(key, "payload") == 0)
		set_hex(&v->payload[v->messages], value);
	else if (strcmp(key, "ciphertext") == 0)
		set_hex(&v->cipher[v->messages++], value);
	else if (strcmp(what, "prologue") == 0)
		set_hex(&v->prologue[side], value);
	else if (strcmp(what, "ephemeral") == 0)
		set_hex(&v->e[side], value);
	else if (strcmp(what, "static") == 0)
		set_hex(&v->s[side], value);
	else if (strcmp(what, "remote_static") == 0)
		set_hex(&v->rs[side], value);
	else if (strcmp(what, "psks") == 0)
		set_hex(&v->psk[side], value);
	else
		CHECK(!"a field that nobody knows");
}

/* Reads one vector; the file has nothing but strings, and no escapes. */
static bool next_vector(struct vector *v, char **p)
{
	char *key, *value, *after;

	memset(v, 0, sizeof(*v));
	*p = strstr(*p, "\"protocol_name\"");
	if (!*p)
		return false;
	while (v->messages < MESSAGES) {
		after = *p;
		key = next_string(&after);
		if (!key || (v->name[0] && strcmp(key, "protocol_name") == 0))
			break;
		if (strcmp(key, "messages") == 0) {
			*p = after;
			continue;
		}
		value = next_string(&after);
		*p = after;
		if (!value)
			break;
		if (strcmp(key, "protocol_name") == 0)
			CHECK(str_copy(v->name, sizeof(v->name), value) >= 0);
		else
			set_field(v, key, value);
		/* The key of the vector after this one must stay whole. */
		after = *p;
		while (*after && *after != '"')
			after++;
		if (strncmp(after, "\"protocol_name\"", 15) == 0)
			break;
	}
	return true;
}

static int start(struct noise *ns, const struct vector *v, int side)
{
	const struct noise_params pr = {
		.name = v->name,
		.initiator = side == 0,
		.prologue = v->prologue[side].p,
		.prologue_len = v->prologue[side].len,
		.s = v->s[side].there ? v->s[side].p : NULL,
		.rs = v->rs[side].there ? v->rs[side].p : NULL,
		.psk = v->psk[side].there ? v->psk[side].p : NULL,
	};
	int rc = noise_init(ns, &pr);

	if (rc == 0)
		noise_set_ephemeral(ns, v->e[side].p);
	return rc;
}

static bool handshake_message(struct noise ns[static 2], const struct vector *v,
			      int i)
{
	const struct bytes *want = &v->cipher[i], *in = &v->payload[i];
	uint8_t out[BYTES_MAX], back[BYTES_MAX];
	int w = i % 2;

	return noise_write(&ns[w], in->p, in->len, out, sizeof(out)) ==
		       (int)want->len &&
	       memcmp(out, want->p, want->len) == 0 &&
	       noise_read(&ns[!w], out, want->len, back, sizeof(back)) ==
		       (int)in->len &&
	       memcmp(back, in->p, in->len) == 0;
}

static bool transport_message(struct aead tx[static 2],
			      struct aead rx[static 2], const struct vector *v,
			      int i, uint64_t n)
{
	const struct bytes *want = &v->cipher[i], *in = &v->payload[i];
	uint8_t out[BYTES_MAX];
	int w = i % 2;

	aead_seal(&tx[w], n, NULL, 0, in->p, in->len, out);
	return want->len == in->len + AEAD_TAG_LEN &&
	       memcmp(out, want->p, want->len) == 0 &&
	       aead_open(&rx[!w], n, NULL, 0, out, want->len, out) &&
	       memcmp(out, in->p, in->len) == 0;
}

static bool same_hash(const struct noise *ns, const struct vector *v)
{
	uint8_t h[NOISE_HASH_MAX];

	return noise_transcript(ns, h) == v->hash.len &&
	       memcmp(h, v->hash.p, v->hash.len) == 0;
}

static bool agrees(const struct vector *v)
{
	uint8_t k[2][AEAD_KEY_LEN];
	struct aead tx[2], rx[2];
	struct noise ns[2];
	uint64_t sent[2] = { 0, 0 };
	bool ok = true;
	int i;

	ok = start(&ns[0], v, 0) == 0 && start(&ns[1], v, 1) == 0;
	for (i = 0; ok && !noise_done(&ns[0]); i++)
		ok = handshake_message(ns, v, i);
	if (!ok || !noise_done(&ns[1]))
		return false;
	for (int side = 0; side < 2; side++) {
		ok &= same_hash(&ns[side], v);
		noise_split(&ns[side], k[0], k[1]);
		aead_init(&tx[side], ns[side].cipher, k[0]);
		aead_init(&rx[side], ns[side].cipher, k[1]);
		noise_fini(&ns[side]);
	}
	for (; ok && i < v->messages; i++)
		ok = transport_message(tx, rx, v, i, sent[i % 2]++);
	return ok;
}

/* How many vectors there are that this machine can do; all must agree. */
static int all_agree(FILE *f)
{
	int done = 0, left_out = 0;
	struct vector v;
	size_t len;
	char *text = slurp(f, &len), *p = text;

	while (p && next_vector(&v, &p)) {
		if (strstr(v.name, "BLAKE2s") ||
		    (strstr(v.name, "AESGCM") &&
		     !aead_available(AEAD_AESGCM))) {
			left_out++;
			continue;
		}
		done++;
		if (!agrees(&v)) {
			printf("# not ours: %s\n", v.name);
			test_failed = 1;
		}
	}
	printf("# %d protocols agree or not, %d left out\n", done, left_out);
	free(text);
	return done;
}

static void it_agrees_with_another_implementation(void)
{
	FILE *f = fopen(OURS, "r");

	CHECK(f);
	CHECK(all_agree(f) >= 18);
	if (f)
		fclose(f);
}

/* Prints its own line: it may have to be skipped. */
static void run_published(void)
{
	const char *name = getenv("NOISE_VECTORS");
	FILE *f = fopen(name ? name : PUBLISHED, "r");
	int before = test_failed;

	test_failed = 0;
	if (f) {
		CHECK(all_agree(f) >= 12);
		fclose(f);
	}
	printf("%sok %d - it_agrees_with_the_published_vectors%s\n",
	       test_failed ? "not " : "", ++test_count,
	       f ? "" : " # SKIP no published vectors in $NOISE_VECTORS");
	test_failed |= before;
}

static void run_script(void)
{
	FILE *have = fopen(OURS, "r"), *made;
	size_t len[2];
	char *text[2];
	bool can;

	made = popen("python3 " SCRIPT " 2>/dev/null", "r");
	text[0] = slurp(have, &len[0]);
	text[1] = slurp(made, &len[1]);
	can = made && pclose(made) == 0;
	if (have)
		fclose(have);
	if (can && (len[0] != len[1] || memcmp(text[0], text[1], len[0]) != 0))
		test_failed = 1;
	printf("%sok %d - the_script_computes_what_is_stored%s\n",
	       can && test_failed ? "not " : "", ++test_count,
	       can ? "" : " # SKIP no python3-cryptography");
	free(text[0]);
	free(text[1]);
}

/* --- what vectors do not say ---------------------------------------------- */

static const uint8_t priv_a[32] = { 1, 2, 3 }, priv_b[32] = { 4, 5, 6 };
static const uint8_t eph_a[32] = { 7, 8, 9 }, eph_b[32] = { 10, 11, 12 };
static const uint8_t psk_ab[32] = { 13, 14, 15 };

static void make_pair(struct noise ns[static 2])
{
	uint8_t pub_b[32];
	struct noise_params pr = {
		.name = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b",
		.prologue = (const uint8_t *)"x",
		.prologue_len = 1,
		.psk = psk_ab,
	};

	CHECK(noise_public(pub_b, priv_b));
	pr.initiator = true;
	pr.s = priv_a;
	pr.rs = pub_b;
	CHECK(noise_init(&ns[0], &pr) == 0);
	pr.initiator = false;
	pr.s = priv_b;
	pr.rs = NULL;
	CHECK(noise_init(&ns[1], &pr) == 0);
	noise_set_ephemeral(&ns[0], eph_a);
	noise_set_ephemeral(&ns[1], eph_b);
}

static void a_changed_message_is_refused_and_the_right_one_still_taken(void)
{
	uint8_t msg[2][200], back[200];
	struct noise ns[2], other;
	int len, i;

	make_pair(ns);
	for (int m = 0; m < 2; m++) {
		len = noise_write(&ns[m], (const uint8_t *)"hello", 5, msg[m],
				  sizeof(msg[m]));
		CHECK(len > 5);
		for (i = 0; i < len * 8; i++) {
			msg[m][i / 8] ^= (uint8_t)(1 << i % 8);
			other = ns[!m];
			/* The curve ignores the highest bit; the hash does
			 * not. */
			CHECK(noise_read(&ns[!m], msg[m], (size_t)len, back,
					 sizeof(back)) == -EBADMSG);
			CHECK(memcmp(&other, &ns[!m], sizeof(other)) == 0);
			msg[m][i / 8] ^= (uint8_t)(1 << i % 8);
		}
		for (i = 0; i < len; i++)
			CHECK(noise_read(&ns[!m], msg[m], (size_t)i, back,
					 sizeof(back)) == -EBADMSG);
		CHECK(noise_read(&ns[!m], msg[m], (size_t)len, back, 4) ==
		      -ENOBUFS);
		CHECK(noise_read(&ns[!m], msg[m], (size_t)len, back,
				 sizeof(back)) == 5);
	}
	CHECK(noise_done(&ns[0]) && noise_done(&ns[1]));
}

static void who_is_not_at_turn_neither_writes_nor_reads(void)
{
	uint8_t msg[200];
	struct noise ns[2];

	make_pair(ns);
	CHECK(noise_write(&ns[1], NULL, 0, msg, sizeof(msg)) == -EPROTO);
	CHECK(noise_read(&ns[0], msg, 96, msg, sizeof(msg)) == -EPROTO);
	CHECK(noise_write(&ns[0], NULL, 0, msg, 95) == -ENOBUFS);
	CHECK(noise_write(&ns[0], NULL, 0, msg, 96) == 96);
	CHECK(noise_write(&ns[0], NULL, 0, msg, sizeof(msg)) == -EPROTO);
}

static void keys_that_are_missing_are_noticed(void)
{
	struct noise_params pr = {
		.name = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b",
		.initiator = true,
		.s = priv_a,
	};
	uint8_t msg[200], pub_b[32];
	struct noise ns;

	CHECK(noise_public(pub_b, priv_b));
	CHECK(noise_init(&ns, &pr) == -EINVAL);
	pr.rs = pub_b;
	CHECK(noise_init(&ns, &pr) == 0);
	CHECK(noise_write(&ns, NULL, 0, msg, sizeof(msg)) == -EINVAL);
	pr.s = NULL;
	CHECK(noise_init(&ns, &pr) == 0);
	noise_set_ephemeral(&ns, eph_a);
	CHECK(noise_write(&ns, NULL, 0, msg, sizeof(msg)) == -EINVAL);
}

static void names_that_are_not_wholly_right_are_refused(void)
{
	static const char *const wrong[] = {
		"",
		"Noise",
		"Noise_IK",
		"Noise_KK_25519_ChaChaPoly_BLAKE2b",
		"Noise_IKpsk1_25519_ChaChaPoly_BLAKE2b",
		"Noise_IK_448_ChaChaPoly_BLAKE2b",
		"Noise_IK_25519_ChaCha_BLAKE2b",
		"Noise_IK_25519_ChaChaPoly_BLAKE2s",
		"Noise_IK_25519_ChaChaPoly_BLAKE2bb",
		"Noise_IK_25519_ChaChaPoly_BLAKE2b ",
		"noise_IK_25519_ChaChaPoly_BLAKE2b",
	};
	struct noise ns;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct noise_params pr = { .name = wrong[i], .s = priv_a };

		CHECK(noise_init(&ns, &pr) == -EPROTONOSUPPORT);
	}
}

static void a_key_that_gives_zeros_is_refused(void)
{
	uint8_t msg[200] = { 0 }, back[200];
	struct noise ns[2];

	make_pair(ns);
	CHECK(noise_read(&ns[1], msg, 96, back, sizeof(back)) == -EKEYREJECTED);
}

static void another_pre_shared_key_is_another_handshake(void)
{
	uint8_t msg[200], back[200];
	struct noise ns[2];
	int len;

	make_pair(ns);
	noise_set_psk(&ns[1], priv_a);
	len = noise_write(&ns[0], NULL, 0, msg, sizeof(msg));
	CHECK(noise_read(&ns[1], msg, (size_t)len, back, sizeof(back)) == 0);
	CHECK(noise_remote(&ns[1]) != NULL);
	len = noise_write(&ns[1], NULL, 0, msg, sizeof(msg));
	CHECK(noise_read(&ns[0], msg, (size_t)len, back, sizeof(back)) ==
	      -EBADMSG);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	RUN(it_agrees_with_another_implementation);
	run_published();
	run_script();
	RUN(a_changed_message_is_refused_and_the_right_one_still_taken);
	RUN(who_is_not_at_turn_neither_writes_nor_reads);
	RUN(keys_that_are_missing_are_noticed);
	RUN(names_that_are_not_wholly_right_are_refused);
	RUN(a_key_that_gives_zeros_is_refused);
	RUN(another_pre_shared_key_is_another_handshake);
	DONE();
}
