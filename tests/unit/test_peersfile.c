// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Peers files as text: every setting, every mistake with its line, what
 * differs between two of them, and dates.
 */
#include "cryptcab/peersfile.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "cryptcab/utcdate.h"
#include "test.h"

/* Keys of which the first byte is 1, 2, 3, and two pre-shared ones. */
#define K1 "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define K2 "AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define K3 "AwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define S1 "8QAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define S2 "8gAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define A "peer a\nkey " K1 "\n"
#define B "peer b\nkey " K2 "\n"
#define C "peer c\nkey " K3 "\n"

static char reason[300];

static struct peersfile *parse(const char *text)
{
	struct peersfile *f = NULL;
	struct strbuf why;
	int rc;

	strbuf_init(&why, reason, sizeof(reason));
	rc = peersfile_parse(&f, text, strlen(text), &why);
	CHECK(!rc == !reason[0] && !rc == (f != NULL) && !why.cut);
	return f;
}

static bool refuses(const char *text, const char *message)
{
	struct peersfile *f = parse(text);
	bool ok = !f && strstr(reason, message);

	if (!ok)
		printf("# %s\n", reason);
	peersfile_free(f);
	return ok;
}

static void every_setting_arrives(void)
{
	struct peersfile *f = parse(
		"# who may\n\n"
		"peer alice@home.net   # a comment\n"
		"\tkey " K1 "\n"
		"  psk " S1 " #\n"
		"\taddress 192.0.2.1:7667\n\taddress [2001:db8::1]:7\n"
		"\taddress h.example:80\n"
		"vlan 0\n"
		" tagged 4094,7-9,1\n"
		"macs 02:00:00:00:00:02,2:0:0:0:0:1\n"
		"rate 125000 200000\n"
		"expires 2027-01-31T12:00Z\n"
		"peer b\n key " K2 "\n pskfile keys/b.psk");
	static const uint16_t tagged[] = { 1, 7, 8, 9, 4094 };
	const struct peersfile_peer *p;
	struct address addr;
	struct strbuf why;

	CHECK(f && f->n == 2);
	if (!f)
		return;
	p = &f->peers[0];
	CHECK(!strcmp(p->name, "alice@home.net") && p->line == 3);
	CHECK(p->key[0] == 1 && p->psk && p->psk[0] == 0xf1);
	CHECK(p->n_addrs == 3 && p->addrs[1].port == 7);
	CHECK(p->rules.untagged == 0 && p->rules.n_tagged == 5);
	CHECK(!memcmp(p->rules.tagged, tagged, sizeof(tagged)));
	CHECK(p->rules.n_macs == 2 &&
	      p->rules.macs[0] == UINT64_C(0x020000000001) &&
	      p->rules.macs[1] == UINT64_C(0x020000000002));
	CHECK(p->rules.rate == 125000 && p->rules.burst == 200000);
	CHECK(p->rules.expires == 1801396800);
	p = &f->peers[1];
	CHECK(!strcmp(p->psk_path, "keys/b.psk") && p->psk);
	CHECK(p->psk && sodium_is_zero(p->psk, KEY64_BYTES));
	CHECK(p->rules.untagged == VLAN_NONE && !p->rules.n_tagged &&
	      !p->rules.n_macs && !p->rules.rate && !p->rules.expires);

	CHECK(peersfile_find(f, f->peers[0].key) == &f->peers[0]);
	CHECK(peersfile_find_name(f, "b") == &f->peers[1]);
	CHECK(!peersfile_find_name(f, "c"));
	strbuf_init(&why, reason, sizeof(reason));
	CHECK(address_parse(&addr, "h.example:80", 0, &why));
	CHECK(peersfile_find_address(f, &addr) == &f->peers[0]);
	addr.port = 81;
	CHECK(!peersfile_find_address(f, &addr));
	peersfile_free(f);
}

static void rules_are_what_admit_wants(void)
{
	struct peersfile *f = parse(A
				    "tagged 9,1\nmacs 2:0:0:0:0:9,0:0:0:0:0:1\n"
				    "rate 1\n");
	struct admit *a = NULL;

	CHECK(f && admit_new(&a, &f->peers[0].rules, 0) == 0);
	admit_free(a);
	peersfile_free(f);
}

static void a_text_without_peers_is_fine(void)
{
	struct peersfile *f = parse("");

	CHECK(f && !f->n);
	peersfile_free(f);
	f = parse("\n\n# nobody: \xc3\xa9\n\t\n");
	CHECK(f && !f->n && !peersfile_find_name(f, "a"));
	peersfile_free(f);
}

static void a_mistake_is_told_with_its_line(void)
{
	CHECK(refuses("key " K1 "\n", "line 1: a setting before"));
	CHECK(refuses("peer a\n", "line 1: peer a has no key"));
	CHECK(refuses("\npeer a\n" B, "line 2: peer a has no key"));
	CHECK(refuses(A "key " K1 "\n", "line 3: set twice"));
	CHECK(refuses(A "kye " K1 "\n", "line 3: unknown setting 'kye'"));
	CHECK(refuses(A "key\n", "line 3: a value is missing"));
	CHECK(refuses(A "vlan 1 2\n", "line 3: too many words"));
	CHECK(refuses(A "rate 1 2 3 4 5\n", "line 3: too many words"));
	CHECK(refuses(A "vlan 1\r\n", "line 3: a carriage return"));
	CHECK(refuses(A "vlan\v1\n", "line 3: a control character"));
	CHECK(refuses(A "# \x1b[2J\n", "line 3: a control character"));
	CHECK(refuses("peer .a\n", "line 1: a name"));
	CHECK(refuses("peer -a\n", "line 1: a name"));
	CHECK(refuses("peer a/b\n", "line 1: a name"));
	CHECK(refuses("peer \xc3\xa9\n", "line 1: a name"));
	CHECK(refuses(A "peer a\nkey " K2 "\n", "line 3: the name of the peer "
						"in line 1"));
	CHECK(refuses(A B "peer c\nkey " K1 "\n", "line 5: the key of the "
						  "peer in line 1"));
}

static void values_out_of_range_are_refused(void)
{
	static const char *const bad[] = {
		"vlan 4095",
		"vlan -1",
		"vlan 0x1",
		"vlan x",
		"tagged 0",
		"tagged 1,",
		"tagged ,1",
		"tagged 2-1",
		"tagged 1-4095",
		"tagged 1,1",
		"tagged 1-3,2",
		"tagged 1-2-3",
		"tagged -",
		"macs 1",
		"macs 2:0:0:0:0:1,",
		"macs 2:0:0:0:0:1,2:0:0:0:0:01",
		"macs ff:ff:ff:ff:ff:ff",
		"macs 01:00:00:00:00:00",
		"rate 0",
		"rate 1099511627777",
		"rate 1 131071",
		"rate 1 2147483649",
		"rate 1k",
		"rate +1",
		"expires 1970-01-01",
		"expires tomorrow",
		"address h",
		"address ::1",
		"address -h:1",
		"psk x",
		("psk " K1 K1),
		"psk AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		("psk " S1 "\npskfile x"),
		("pskfile x\npsk " S1),
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char text[400];

		(void)str_fmt(text, sizeof(text), A "%s\n", bad[i]);
		CHECK(refuses(text, "line "));
	}
	CHECK(refuses("peer a\nkey AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
		      "\n",
		      "line 2: no key"));
}

static void no_message_has_a_secret_in_it(void)
{
	CHECK(refuses(A "psk 8QAAAAAAAAAAAAAAsecret\n", "line 3"));
	CHECK(!strstr(reason, "secret"));
	CHECK(refuses(A S1 "\n", "line 3: unknown setting"));
	CHECK(!strstr(reason, "8QAAA"));
	CHECK(refuses(A "psk " S1 " " S2 "\n", "line 3"));
	CHECK(!strstr(reason, "8QAAA") && !strstr(reason, "8gAAA"));
}

static void all_has_a_bound(void)
{
	size_t size = (PEERSFILE_MAX + 1) * 80, len = 0;
	char *text = malloc(size), name[20];
	uint8_t key[KEY64_BYTES] = { 0 };
	char key64[KEY64_SIZE];
	struct peersfile *f;

	for (uint32_t i = 0; text && i <= PEERSFILE_MAX; i++) {
		key[0] = (uint8_t)i;
		key[1] = (uint8_t)(i >> 8);
		key[2] = (uint8_t)(1 + (i >> 16));
		(void)str_fmt(name, sizeof(name), "p%u", i);
		if (i == PEERSFILE_MAX) {
			f = parse(text);
			CHECK(f && f->n == PEERSFILE_MAX);
			CHECK(f && peersfile_find_name(f, "p65535") ==
					   &f->peers[65535]);
			peersfile_free(f);
		}
		len += (size_t)str_fmt(text + len, size - len,
				       "peer %s\nkey %s\n", name,
				       key64_write(key64, key));
	}
	CHECK(text && refuses(text, "line 131073: too many peers"));
	if (text) {
		memset(text, '#', PEERSFILE_LINE_MAX + 1);
		text[PEERSFILE_LINE_MAX + 1] = '\0';
		CHECK(refuses(text, "line 1: too long"));
		text[PEERSFILE_LINE_MAX] = '\0';
		f = parse(text);
		CHECK(f != NULL);
		peersfile_free(f);
	}
	free(text);
	CHECK(refuses(A "address h:1\naddress h:2\naddress h:3\naddress h:4\n"
			"address h:5\naddress h:6\naddress h:7\naddress h:8\n"
			"address h:9\n",
		      "line 11: too many"));
}

static void any_text_becomes_a_name(void)
{
	static const char *const pairs[][2] = {
		{ "h.example", "h.example" },
		{ "fe80::1%eth0", "fe80--1-eth0" },
		{ "", "peer" },
		{ "--", "peer" },
		{ "..a", "a" },
		{ "\xc3\xa9 x", "peer" },
		{ "a\nb/c", "a-b-c" },
	};
	char name[PEERSFILE_NAME_SIZE], big[200];

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		peersfile_make_name(name, pairs[i][0]);
		CHECK(!strcmp(name, pairs[i][1]));
	}
	memset(big, 'x', sizeof(big));
	big[199] = '\0';
	peersfile_make_name(name, big);
	CHECK(peersfile_name_ok(name) && strlen(name) == 63);
}

/* ---- differences ---- */

static char diffs[200];

static void note(void *ctx, const struct peersfile_peer *was,
		 const struct peersfile_peer *is, unsigned int differs)
{
	size_t n = strlen(diffs);

	CHECK(ctx == diffs && (was || is) && !differs == (!was || !is));
	(void)str_fmt(diffs + n, sizeof(diffs) - n, "%s%s%s:%u ",
		      was ? was->name : "",
		      was && is ? ">"
		      : is	? "+"
				: "-",
		      is ? is->name : "", differs);
}

static bool differ(const char *was, const char *is, const char *expect)
{
	struct peersfile *a = was ? parse(was) : NULL;
	struct peersfile *b = is ? parse(is) : NULL;

	diffs[0] = '\0';
	peersfile_diff(a, b, note, diffs);
	peersfile_free(a);
	peersfile_free(b);
	if (strcmp(diffs, expect) != 0)
		printf("# %s\n", diffs);
	return !strcmp(diffs, expect);
}

static void a_diff_names_who_changed_and_nobody_else(void)
{
	CHECK(differ(A B, A B, ""));
	CHECK(differ(A B, "# moved\n" B "\n\n" A, ""));
	CHECK(differ(NULL, A B, "+a:0 +b:0 "));
	CHECK(differ(A B, NULL, "a-:0 b-:0 "));
	CHECK(differ(A B, B C, "a-:0 +c:0 "));
	/* A name that goes to another key: first one leaves. */
	CHECK(differ(A, "peer a\nkey " K2 "\n", "a-:0 +a:0 "));
	CHECK(differ(A, "peer x\nkey " K1 "\n", "a>x:1 "));
}

static void a_diff_says_what_changed(void)
{
	CHECK(differ(A, A "psk " S1 "\n", "a>a:2 "));
	CHECK(differ(A "psk " S1 "\n", A "psk " S2 "\n", "a>a:2 "));
	CHECK(differ(A "psk " S1 "\n", A "psk " S1 "\n", ""));
	CHECK(differ(A, A "address h:1\n", "a>a:4 "));
	CHECK(differ(A "address h:1\n", A "address h:2\n", "a>a:4 "));
	CHECK(differ(A, A "rate 5\n", "a>a:8 "));
	CHECK(differ(A "rate 5\n", A "rate 5 200000\n", "a>a:8 "));
	CHECK(differ(A, A "expires 2030-01-01\n", "a>a:8 "));
	CHECK(differ(A, A "macs 2:0:0:0:0:1\n", "a>a:8 "));
	CHECK(differ(A, A "vlan 1\n", "a>a:24 "));
	CHECK(differ(A "tagged 1,2\n", A "tagged 1,3\n", "a>a:24 "));
	CHECK(differ(A "tagged 1,2\n", A "tagged 1-2\n", ""));
}

/* ---- back to text ---- */

static void what_is_written_is_read_the_same(void)
{
	static const char *const rules[] = {
		"",
		"vlan 4094\n",
		"tagged 1-4094\n",
		"tagged 1,3,5-6,8\n",
		"macs 2:0:0:0:0:1,2:0:0:0:0:2\n",
		"rate 1\n",
		"rate 1099511627776 131072\n",
		"expires 9999-12-31T23:59:59Z\n",
		"psk " S1 "\n",
		"pskfile /x\n",
		"address h:1\naddress [::1]:2\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		char text[400], *block = malloc(PEERSFILE_BLOCK_SIZE);
		struct peersfile *f;
		struct strbuf b;

		(void)str_fmt(text, sizeof(text), A "%s", rules[i]);
		f = parse(text);
		CHECK(f && block);
		if (f && block) {
			strbuf_init(&b, block, PEERSFILE_BLOCK_SIZE);
			peersfile_write(&b, &f->peers[0]);
			CHECK(!b.cut && differ(text, block, ""));
		}
		peersfile_free(f);
		free(block);
	}
}

static void the_longest_block_has_room(void)
{
	static uint64_t macs[PEERSFILE_MACS_MAX];
	static uint16_t tagged[2047];
	static struct address addrs[PEERSFILE_ADDRS_MAX];
	uint8_t psk[KEY64_BYTES] = { 1 };
	struct peersfile_peer p = {
		.key = { 1 },
		.psk = psk,
		.addrs = addrs,
		.n_addrs = PEERSFILE_ADDRS_MAX,
		.rules = { .macs = macs,
			   .n_macs = PEERSFILE_MACS_MAX,
			   .tagged = tagged,
			   .n_tagged = 2047,
			   .untagged = 4094,
			   .rate = ADMIT_RATE_MAX,
			   .burst = ADMIT_BURST_MAX,
			   .expires = UTCDATE_MAX },
	};
	char *block = malloc(PEERSFILE_BLOCK_SIZE);
	struct peersfile *f;
	struct strbuf b;

	memset(p.name, 'n', sizeof(p.name) - 1);
	for (uint32_t i = 0; i < PEERSFILE_MACS_MAX; i++)
		macs[i] = UINT64_C(0x020000001000) + i;
	for (uint16_t i = 0; i < 2047; i++)
		tagged[i] = (uint16_t)(i * 2 + 1);
	for (int i = 0; i < PEERSFILE_ADDRS_MAX; i++) {
		memset(addrs[i].host, 'a', ADDRESS_HOST_SIZE - 1);
		addrs[i].host[63] = addrs[i].host[127] = '.';
		addrs[i].host[191] = '.';
		addrs[i].port = 65535;
	}
	CHECK(block != NULL);
	if (!block)
		return;
	strbuf_init(&b, block, PEERSFILE_BLOCK_SIZE);
	peersfile_write(&b, &p);
	CHECK(!b.cut);
	f = parse(block);
	CHECK(f && f->n == 1 && f->peers[0].rules.n_macs == 1024);
	peersfile_free(f);
	free(block);
}

static void dates_are_those_of_the_calendar(void)
{
	static const struct {
		const char *s;
		uint64_t t;
	} good[] = {
		{ "1970-01-01", 0 },
		{ "1972-02-29", 68169600 },
		{ "2000-02-29T23:59:59Z", 951868799 },
		{ "2026-11-20T20:32Z", 1795206720 },
		{ "2100-03-01", 4107542400 },
		{ "9999-12-31T23:59:59Z", UTCDATE_MAX },
	};
	static const char *const bad[] = {
		"",
		"2027",
		"2027-1-31",
		"2027-13-01",
		"2027-00-01",
		"2027-02-29",
		"2100-02-29",
		"2027-04-31",
		"2027-01-00",
		"1969-12-31",
		"10000-01-01",
		"2027-01-31T",
		"2027-01-31T12:00",
		"2027-01-31T24:00Z",
		"2027-01-31T12:60Z",
		"2027-01-31T12Z",
		"2027-01-31T12:00:60Z",
		"2027-01-31T12:00:Z",
		"2027-01-31Z",
		"2027-01-31 12:00Z",
		"2027-01-31T12:00Zx",
		" 2027-01-31",
		"2027-01-31T-1:00Z",
	};
	char s[UTCDATE_SIZE];
	uint64_t t;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		CHECK(utcdate_parse(good[i].s, &t) && t == good[i].t);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(!utcdate_parse(bad[i], &t));
	for (uint64_t at = 0; at <= UTCDATE_MAX; at += 86400 * 29 + 12345)
		CHECK(utcdate_parse(utcdate_write(s, at), &t) && t == at);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	RUN(every_setting_arrives);
	RUN(rules_are_what_admit_wants);
	RUN(a_text_without_peers_is_fine);
	RUN(a_mistake_is_told_with_its_line);
	RUN(values_out_of_range_are_refused);
	RUN(no_message_has_a_secret_in_it);
	RUN(all_has_a_bound);
	RUN(any_text_becomes_a_name);
	RUN(a_diff_names_who_changed_and_nobody_else);
	RUN(a_diff_says_what_changed);
	RUN(what_is_written_is_read_the_same);
	RUN(the_longest_block_has_room);
	RUN(dates_are_those_of_the_calendar);
	DONE();
}
