// SPDX-License-Identifier: GPL-2.0-or-later
#include "cryptcab/peersfile.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "cryptcab/utcdate.h"

#define BLANKS " \t"
#define DIGITS "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define WORDS_MAX 3

struct parser {
	struct peersfile *f;
	struct peersfile_peer *p; /* the one being read; NULL: none yet */
	uint32_t line, n_psks, room;
	unsigned int seen; /* a bit for each setting of it */
	size_t end; /* of the text that was read */
	char *word[WORDS_MAX + 1]; /* of the line */
	unsigned int n_words;
	struct strbuf *why;
};

typedef int setting_fn(struct parser *);

/* All that is said names the line; values are not, they may be secrets. */
static int bad(struct parser *ps, const char *what)
{
	strbuf_fmt(ps->why, "line %u: %s", ps->line, what);
	return -EINVAL;
}

static int no_memory(struct parser *ps)
{
	strbuf_add(ps->why, "not enough memory");
	return -ENOMEM;
}

bool peersfile_name_ok(const char *name)
{
	size_t n = strspn(name, LETTERS DIGITS ".-_@");

	return n && n < PEERSFILE_NAME_SIZE && !name[n] && *name != '.' &&
	       *name != '-';
}

void peersfile_make_name(char name[static PEERSFILE_NAME_SIZE],
			 const char *from)
{
	size_t n = 0;

	from += strspn(from, ".-");
	for (; *from && n < PEERSFILE_NAME_SIZE - 1; from++, n++)
		name[n] = *from;
	for (size_t i = 0; i < n; i++)
		if (!strchr(LETTERS DIGITS ".-_@", name[i]))
			name[i] = '-';
	name[n] = '\0';
	if (!peersfile_name_ok(name))
		(void)str_copy(name, PEERSFILE_NAME_SIZE, "peer");
}

/* Decimal digits only. */
static bool number(const char *s, int64_t min, int64_t max, int64_t *out)
{
	return *s && !s[strspn(s, DIGITS)] && parse_num(s, min, max, out);
}

/* ---- settings ---- */

static int set_key(struct parser *ps)
{
	if (!key64_read(ps->p->key, ps->word[1], strlen(ps->word[1])) ||
	    sodium_is_zero(ps->p->key, KEY64_BYTES))
		return bad(ps, "no key: it must be 44 characters of base64");
	return 0;
}

static int take_psk_slot(struct parser *ps)
{
	if (ps->p->psk)
		return bad(ps, "psk and pskfile exclude each other");
	ps->p->psk = ps->f->psks + (size_t)ps->n_psks++ * KEY64_BYTES;
	return 0;
}

static int set_psk(struct parser *ps)
{
	int rc = take_psk_slot(ps);

	if (rc)
		return rc;
	if (!key64_read(ps->p->psk, ps->word[1], strlen(ps->word[1])) ||
	    sodium_is_zero(ps->p->psk, KEY64_BYTES))
		return bad(ps, "no pre-shared key: it must be 44 characters of "
			       "base64");
	return 0;
}

static int set_pskfile(struct parser *ps)
{
	int rc = take_psk_slot(ps);

	if (rc)
		return rc;
	ps->p->psk_path = strdup(ps->word[1]);
	return ps->p->psk_path ? 0 : no_memory(ps);
}

static int set_address(struct parser *ps)
{
	struct peersfile_peer *p = ps->p;
	char reason[100];
	struct strbuf b;

	if (p->n_addrs == PEERSFILE_ADDRS_MAX)
		return bad(ps, "too many addresses");
	if (!p->addrs) {
		p->addrs = calloc(PEERSFILE_ADDRS_MAX, sizeof(*p->addrs));
		if (!p->addrs)
			return no_memory(ps);
	}
	strbuf_init(&b, reason, sizeof(reason));
	if (!address_parse(&p->addrs[p->n_addrs], ps->word[1], 0, &b))
		return bad(ps, reason);
	p->n_addrs++;
	return 0;
}

static int set_vlan(struct parser *ps)
{
	int64_t n;

	if (!number(ps->word[1], 0, VLAN_MAX, &n))
		return bad(ps, "a VLAN is 0 to 4094");
	ps->p->rules.untagged = (uint16_t)n;
	return 0;
}

/* The next part of a list, ended by a NUL. NULL: that was all. */
static char *part(char **rest)
{
	char *s = *rest, *comma;

	if (!s)
		return NULL;
	comma = strchr(s, ',');
	if (comma)
		*comma++ = '\0';
	*rest = comma;
	return s;
}

static bool vlan_range(char *s, int64_t *from, int64_t *to)
{
	char *dash = strchr(s, '-');

	if (dash)
		*dash++ = '\0';
	return number(s, 1, VLAN_MAX, from) &&
	       number(dash ? dash : s, *from, VLAN_MAX, to);
}

static int set_tagged(struct parser *ps)
{
	char *rest = ps->word[1], *s;
	bool in[VLAN_MAX + 1] = { false };
	struct admit_rules *r = &ps->p->rules;
	uint16_t *tagged;
	int64_t from, to;

	while ((s = part(&rest))) {
		if (!vlan_range(s, &from, &to))
			return bad(ps, "tagged VLANs are 1 to 4094, as 5,7-9");
		for (; from <= to; from++) {
			if (in[from])
				return bad(ps, "a VLAN is there twice");
			in[from] = true;
			r->n_tagged++;
		}
	}
	r->tagged = tagged = calloc(r->n_tagged, sizeof(*tagged));
	if (!tagged)
		return no_memory(ps);
	for (uint16_t vid = 1; vid <= VLAN_MAX; vid++)
		if (in[vid])
			*tagged++ = vid;
	return 0;
}

static int compare_macs(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int set_macs(struct parser *ps)
{
	struct admit_rules *r = &ps->p->rules;
	char *rest = ps->word[1], *s;
	uint32_t n = 1;
	uint64_t *macs;

	for (s = rest; *s; s++)
		n += *s == ',';
	if (n > PEERSFILE_MACS_MAX)
		return bad(ps, "too many addresses");
	r->macs = macs = calloc(n, sizeof(*macs));
	if (!macs)
		return no_memory(ps);
	while ((s = part(&rest)))
		if (!ether_parse(s, &macs[r->n_macs++]) ||
		    ether_is_multicast(macs[r->n_macs - 1]))
			return bad(ps, "macs are addresses of hosts, as "
				       "02:00:00:00:00:01,02:00:00:00:00:02");
	qsort(macs, n, sizeof(*macs), compare_macs);
	for (uint32_t i = 1; i < n; i++)
		if (macs[i - 1] == macs[i])
			return bad(ps, "an address is there twice");
	return 0;
}

static int set_rate(struct parser *ps)
{
	int64_t rate, burst = 0;

	if (!number(ps->word[1], 1, (int64_t)ADMIT_RATE_MAX, &rate))
		return bad(ps, "a rate is 1 to 1099511627776 bytes a second");
	if (ps->n_words > 2 &&
	    !number(ps->word[2], ADMIT_BURST_MIN, ADMIT_BURST_MAX, &burst))
		return bad(ps, "a burst is 131072 to 2147483648 bytes");
	ps->p->rules.rate = (uint64_t)rate;
	ps->p->rules.burst = (uint32_t)burst;
	return 0;
}

static int set_expires(struct parser *ps)
{
	if (!utcdate_parse(ps->word[1], &ps->p->rules.expires))
		return bad(ps, "a time is 2027-01-31 or 2027-01-31T12:00Z");
	if (!ps->p->rules.expires)
		return bad(ps, "that was never");
	return 0;
}

static int begin_peer(struct parser *ps);

static const struct setting {
	const char *name;
	setting_fn *fn;
	unsigned int max_words;
	bool again; /* more than once */
} settings[] = {
	{ "peer", begin_peer, 2, true },
	{ "key", set_key, 2, false },
	{ "psk", set_psk, 2, false },
	{ "pskfile", set_pskfile, 2, false },
	{ "address", set_address, 2, true },
	{ "vlan", set_vlan, 2, false },
	{ "tagged", set_tagged, 2, false },
	{ "macs", set_macs, 2, false },
	{ "rate", set_rate, 3, false },
	{ "expires", set_expires, 2, false },
};
#define SEEN_KEY (1u << 1)

/* ---- lines ---- */

static int end_peer(struct parser *ps)
{
	if (!ps->p || ps->seen & SEEN_KEY)
		return 0;
	strbuf_fmt(ps->why, "line %u: peer %s has no key", ps->p->line,
		   ps->p->name);
	return -EINVAL;
}

static int make_room(struct parser *ps)
{
	struct peersfile *f = ps->f;
	uint32_t room = ps->room ? ps->room * 2 : 16;
	struct peersfile_peer *more;

	if (f->n < ps->room)
		return 0;
	more = reallocarray(f->peers, room, sizeof(*more));
	if (!more)
		return no_memory(ps);
	f->peers = more;
	ps->room = room;
	return 0;
}

static int begin_peer(struct parser *ps)
{
	int rc = end_peer(ps);

	if (!rc && ps->f->n == PEERSFILE_MAX)
		rc = bad(ps, "too many peers");
	if (!rc && !peersfile_name_ok(ps->word[1]))
		rc = bad(ps, "a name is 1 to 63 letters, digits and . - _ @, "
			     "and begins with none of . -");
	if (!rc)
		rc = make_room(ps);
	if (rc)
		return rc;
	ps->p = &ps->f->peers[ps->f->n++];
	*ps->p = (struct peersfile_peer){
		.line = ps->line,
		.from = ps->end,
		.rules = { .untagged = VLAN_NONE },
	};
	(void)str_copy(ps->p->name, sizeof(ps->p->name), ps->word[1]);
	ps->seen = 0;
	return 0;
}

/* Cuts @s into words; a # in front of one ends the line. */
static void split(struct parser *ps, char *s)
{
	ps->n_words = 0;
	for (;;) {
		s += strspn(s, BLANKS);
		if (!*s || *s == '#')
			return;
		ps->word[ps->n_words++] = s;
		if (ps->n_words > WORDS_MAX)
			return;
		s += strcspn(s, BLANKS);
		if (*s)
			*s++ = '\0';
	}
}

static int unknown(struct parser *ps)
{
	const char *s = ps->word[0];
	size_t n = strlen(s);

	/* What may be a secret in the wrong place is not repeated. */
	if (n > 16 || strspn(s, LETTERS) != n)
		return bad(ps, "unknown setting");
	strbuf_fmt(ps->why, "line %u: unknown setting '%s'", ps->line, s);
	return -EINVAL;
}

static int take_words(struct parser *ps)
{
	const struct setting *s = NULL;
	unsigned int bit = 0;
	int rc;

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		if (!strcmp(ps->word[0], settings[i].name)) {
			s = &settings[i];
			bit = 1u << i;
		}
	}
	if (!s)
		return unknown(ps);
	if (!ps->p && s != settings)
		return bad(ps, "a setting before the first peer");
	if (ps->n_words < 2)
		return bad(ps, "a value is missing");
	if (ps->n_words > s->max_words)
		return bad(ps, "too many words");
	if (!s->again && ps->seen & bit)
		return bad(ps, "set twice");
	rc = s->fn(ps);
	ps->seen |= bit;
	return rc;
}

/* A line of the text, without its newline. Bytes above 127 are for comments,
 * where anybody may write as he speaks. */
static int take_line(struct parser *ps, const char *s, size_t len, char *copy)
{
	int rc;

	if (len > PEERSFILE_LINE_MAX)
		return bad(ps, "too long");
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)s[i] < ' ' && s[i] != '\t') || s[i] == 0x7f)
			return bad(ps, s[i] == '\r' ? "a carriage return"
						    : "a control character");
	memcpy(copy, s, len);
	copy[len] = '\0';
	split(ps, copy);
	rc = ps->n_words ? take_words(ps) : 0;
	if (ps->p && ps->n_words)
		ps->p->to = ps->end + len;
	return rc;
}

static int take_lines(struct parser *ps, const char *text, size_t len)
{
	char *copy = sodium_malloc(PEERSFILE_LINE_MAX + 1);
	int rc = 0;

	if (!copy)
		return no_memory(ps);
	while (!rc && ps->end < len) {
		const char *s = text + ps->end;
		const char *nl = memchr(s, '\n', len - ps->end);
		size_t n = nl ? (size_t)(nl - s) : len - ps->end;

		ps->line++;
		rc = take_line(ps, s, n, copy);
		ps->end += n + (nl != NULL);
	}
	sodium_free(copy);
	return rc ? rc : end_peer(ps);
}

/* At least as many as there are pre-shared keys: a peer has one. */
static size_t count_psks(const char *text, size_t len)
{
	const char *end = text + len;
	size_t n = 0;

	while ((text = memmem(text, (size_t)(end - text), "psk", 3))) {
		text += 3;
		n++;
	}
	return size_min(n, PEERSFILE_MAX);
}

/* ---- order ---- */

static int compare_keys(const void *a, const void *b)
{
	const struct peersfile_peer *const *x = a, *const *y = b;

	return memcmp((*x)->key, (*y)->key, KEY64_BYTES);
}

static int compare_names(const void *a, const void *b)
{
	const struct peersfile_peer *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

typedef int compare_fn(const void *, const void *);

/* All peers by what @cmp compares; two that are the same are an error. */
static int sort(struct parser *ps, struct peersfile_peer ***out,
		compare_fn *cmp, const char *what)
{
	struct peersfile *f = ps->f;
	struct peersfile_peer **by = calloc(f->n ? f->n : 1,
					    sizeof(struct peersfile_peer *));

	if (!by)
		return no_memory(ps);
	*out = by;
	for (uint32_t i = 0; i < f->n; i++)
		by[i] = &f->peers[i];
	qsort(by, f->n, sizeof(struct peersfile_peer *), cmp);
	for (uint32_t i = 1; i < f->n; i++) {
		uint32_t a = by[i - 1]->line, b = by[i]->line;

		if (cmp(&by[i - 1], &by[i]) != 0)
			continue;
		strbuf_fmt(ps->why, "line %u: the %s of the peer in line %u",
			   a > b ? a : b, what, a > b ? b : a);
		return -EINVAL;
	}
	return 0;
}

int peersfile_parse(struct peersfile **out, const char *text, size_t len,
		    struct strbuf *why)
{
	struct parser ps = { .why = why };
	size_t n_psks = count_psks(text, len);
	int rc = 0;

	*out = NULL;
	ps.f = calloc(1, sizeof(*ps.f));
	if (!ps.f)
		return no_memory(&ps);
	if (n_psks) {
		ps.f->psks = sodium_allocarray(n_psks, KEY64_BYTES);
		if (ps.f->psks)
			sodium_memzero(ps.f->psks, n_psks * KEY64_BYTES);
		else
			rc = no_memory(&ps);
	}
	if (!rc)
		rc = take_lines(&ps, text, len);
	if (!rc)
		rc = sort(&ps, &ps.f->by_key, compare_keys, "key");
	if (!rc)
		rc = sort(&ps, &ps.f->by_name, compare_names, "name");
	if (rc) {
		peersfile_free(ps.f);
		return rc;
	}
	*out = ps.f;
	return 0;
}

void peersfile_free(struct peersfile *f)
{
	if (!f)
		return;
	for (uint32_t i = 0; i < f->n; i++) {
		free(f->peers[i].psk_path);
		free(f->peers[i].addrs);
		free(unconst(f->peers[i].rules.macs));
		free(unconst(f->peers[i].rules.tagged));
	}
	free(f->peers);
	free(f->by_key);
	free(f->by_name);
	sodium_free(f->psks);
	free(f);
}

/* ---- looking ---- */

/* Where in @by, of @n, something equal to @p is; NULL: nowhere. */
static struct peersfile_peer *find(struct peersfile_peer **by, uint32_t n,
				   const struct peersfile_peer *p,
				   compare_fn *cmp)
{
	struct peersfile_peer **hit = bsearch(
		&p, by, n, sizeof(struct peersfile_peer *), cmp);

	return hit ? *hit : NULL;
}

struct peersfile_peer *peersfile_find(const struct peersfile *f,
				      const uint8_t key[static KEY64_BYTES])
{
	struct peersfile_peer p;

	memcpy(p.key, key, KEY64_BYTES);
	return find(f->by_key, f->n, &p, compare_keys);
}

struct peersfile_peer *peersfile_find_name(const struct peersfile *f,
					   const char *name)
{
	struct peersfile_peer p;

	if (str_copy(p.name, sizeof(p.name), name) < 0)
		return NULL;
	return find(f->by_name, f->n, &p, compare_names);
}

struct peersfile_peer *peersfile_find_address(const struct peersfile *f,
					      const struct address *a)
{
	for (uint32_t i = 0; i < f->n; i++)
		for (uint32_t j = 0; j < f->peers[i].n_addrs; j++)
			if (address_equal(&f->peers[i].addrs[j], a))
				return &f->peers[i];
	return NULL;
}

/* ---- differences ---- */

static bool same_psk(const struct peersfile_peer *a,
		     const struct peersfile_peer *b)
{
	if (!a->psk || !b->psk)
		return !a->psk && !b->psk;
	return !sodium_memcmp(a->psk, b->psk, KEY64_BYTES);
}

static bool same_addrs(const struct peersfile_peer *a,
		       const struct peersfile_peer *b)
{
	if (a->n_addrs != b->n_addrs)
		return false;
	for (uint32_t i = 0; i < a->n_addrs; i++)
		if (!address_equal(&a->addrs[i], &b->addrs[i]))
			return false;
	return true;
}

static bool same_vlans(const struct admit_rules *a, const struct admit_rules *b)
{
	return a->untagged == b->untagged && a->n_tagged == b->n_tagged &&
	       (!a->n_tagged || !memcmp(a->tagged, b->tagged,
					a->n_tagged * sizeof(*a->tagged)));
}

static bool same_rest(const struct admit_rules *a, const struct admit_rules *b)
{
	return a->rate == b->rate && a->burst == b->burst &&
	       a->expires == b->expires && a->n_macs == b->n_macs &&
	       (!a->n_macs ||
		!memcmp(a->macs, b->macs, a->n_macs * sizeof(*a->macs)));
}

static unsigned int compare(const struct peersfile_peer *a,
			    const struct peersfile_peer *b)
{
	unsigned int d = 0;

	if (strcmp(a->name, b->name) != 0)
		d |= PEERSFILE_NAME;
	if (!same_psk(a, b))
		d |= PEERSFILE_PSK;
	if (!same_addrs(a, b))
		d |= PEERSFILE_ADDRS;
	if (!same_vlans(&a->rules, &b->rules))
		d |= PEERSFILE_RULES | PEERSFILE_VLANS;
	if (!same_rest(&a->rules, &b->rules))
		d |= PEERSFILE_RULES;
	return d;
}

void peersfile_diff(const struct peersfile *was, const struct peersfile *is,
		    peersfile_diff_fn *fn, void *ctx)
{
	const struct peersfile none = { 0 };

	if (!was)
		was = &none;
	if (!is)
		is = &none;
	for (uint32_t i = 0; i < was->n; i++)
		if (!is->n || !peersfile_find(is, was->peers[i].key))
			fn(ctx, &was->peers[i], NULL, 0);
	for (uint32_t i = 0; i < is->n; i++) {
		const struct peersfile_peer *p = &is->peers[i], *old = NULL;
		unsigned int d = 0;

		if (was->n)
			old = peersfile_find(was, p->key);
		if (old)
			d = compare(old, p);
		if (!old || d)
			fn(ctx, old, p, d);
	}
}

/* ---- writing ---- */

/* Runs of VLANs as 7-9. */
static void write_tagged(struct strbuf *b, const struct admit_rules *r)
{
	const char *word = "\ttagged ";

	for (uint32_t i = 0; i < r->n_tagged; i++) {
		uint32_t first = i;

		while (i + 1 < r->n_tagged &&
		       r->tagged[i + 1] == r->tagged[i] + 1)
			i++;
		strbuf_fmt(b, "%s%u", word, (unsigned int)r->tagged[first]);
		if (i > first)
			strbuf_fmt(b, "-%u", (unsigned int)r->tagged[i]);
		word = ",";
	}
	if (r->n_tagged)
		strbuf_add(b, "\n");
}

static void write_rules(struct strbuf *b, const struct admit_rules *r)
{
	char s[ETHER_STRLEN], date[UTCDATE_SIZE];

	if (r->untagged != VLAN_NONE)
		strbuf_fmt(b, "\tvlan %u\n", (unsigned int)r->untagged);
	write_tagged(b, r);
	for (uint32_t i = 0; i < r->n_macs; i++)
		strbuf_fmt(b, "%s%s%s", i ? "," : "\tmacs ",
			   ether_str(s, r->macs[i]),
			   i + 1 == r->n_macs ? "\n" : "");
	if (r->rate)
		strbuf_fmt(b, "\trate %llu", (unsigned long long)r->rate);
	if (r->rate && r->burst)
		strbuf_fmt(b, " %u", r->burst);
	if (r->rate)
		strbuf_add(b, "\n");
	if (r->expires)
		strbuf_fmt(b, "\texpires %s\n",
			   utcdate_write(date, r->expires));
}

void peersfile_write(struct strbuf *b, const struct peersfile_peer *p)
{
	char text[KEY64_SIZE], addr[ADDRESS_SIZE];

	strbuf_fmt(b, "peer %s\n\tkey %s\n", p->name,
		   key64_write(text, p->key));
	if (p->psk_path)
		strbuf_fmt(b, "\tpskfile %s\n", p->psk_path);
	else if (p->psk)
		strbuf_fmt(b, "\tpsk %s\n", key64_write(text, p->psk));
	for (uint32_t i = 0; i < p->n_addrs; i++)
		strbuf_fmt(b, "\taddress %s\n",
			   address_write(addr, &p->addrs[i]));
	write_rules(b, &p->rules);
	sodium_memzero(text, sizeof(text));
}
