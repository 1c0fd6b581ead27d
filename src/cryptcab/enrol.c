// SPDX-License-Identifier: GPL-2.0-or-later
#include "cryptcab/enrol.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "base/num.h"
#include "base/quote.h"
#include "cryptcab/peersdisk.h"

#define REQUEST "vde-enrol 1 "
#define REPLY "vde-enrolled 1 "
#define REFUSED "vde-refused 1 "
#define MARK "vde-"
#define PROGRAM_MAX 512
#define WORD_CHARS                                             \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" \
	"0123456789._/+-"

static_assert(sizeof(REPLY) + KEY64_LEN + sizeof(" 65535 ") +
			      PEERSFILE_NAME_SIZE <=
		      ENROL_LINE_MAX,
	      "a reply is a line");
static_assert(sizeof(REFUSED) + ENROL_REASON_SIZE <= ENROL_LINE_MAX,
	      "a refusal is a line");

/* ---- lines ---- */

char *enrol_write_request(char *s, const struct enrol_request *r)
{
	char key[KEY64_SIZE];

	(void)str_fmt(s, ENROL_LINE_MAX + 1, REQUEST "%s %s\n",
		      key64_write(key, r->key), r->name);
	return s;
}

char *enrol_write_reply(char *s, const struct enrol_reply *r)
{
	char key[KEY64_SIZE];

	if (!r->refused) {
		(void)str_fmt(s, ENROL_LINE_MAX + 1, REPLY "%s %u %s\n",
			      key64_write(key, r->key), (unsigned int)r->port,
			      r->name);
		return s;
	}
	(void)str_fmt(s, ENROL_LINE_MAX + 1, REFUSED "%s\n", r->reason);
	for (char *c = s; c[0] && c[1]; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return s;
}

/* What follows @head; NULL: it does not begin so. */
static const char *after(const char *s, const char *head)
{
	size_t n = strlen(head);

	return strncmp(s, head, n) != 0 ? NULL : s + n;
}

/* "KEY " */
static const char *take_key(uint8_t key[static KEY64_BYTES], const char *s)
{
	if (strlen(s) <= KEY64_LEN || s[KEY64_LEN] != ' ' ||
	    !key64_read(key, s, KEY64_LEN) || sodium_is_zero(key, KEY64_BYTES))
		return NULL;
	return s + KEY64_LEN + 1;
}

static bool take_name(char name[static PEERSFILE_NAME_SIZE], const char *s)
{
	return peersfile_name_ok(s) &&
	       str_copy(name, PEERSFILE_NAME_SIZE, s) >= 0;
}

bool enrol_parse_request(struct enrol_request *r, const char *s)
{
	memset(r, 0, sizeof(*r));
	s = after(s, REQUEST);
	if (s)
		s = take_key(r->key, s);
	return s && take_name(r->name, s);
}

static bool parse_refusal(struct enrol_reply *r, const char *s)
{
	if (!*s || str_copy(r->reason, sizeof(r->reason), s) < 0)
		return false;
	for (; *s; s++)
		if (*s < ' ' || *s > '~')
			return false;
	r->refused = true;
	return true;
}

bool enrol_parse_reply(struct enrol_reply *r, const char *s)
{
	char digits[6] = "";
	const char *rest;
	int64_t port;
	size_t n;

	memset(r, 0, sizeof(*r));
	rest = after(s, REFUSED);
	if (rest)
		return parse_refusal(r, rest);
	rest = after(s, REPLY);
	if (rest)
		rest = take_key(r->key, rest);
	if (!rest)
		return false;
	n = strspn(rest, "0123456789");
	if (n >= sizeof(digits) || rest[n] != ' ')
		return false;
	memcpy(digits, rest, n);
	/* One text for each number. */
	if (!parse_num(digits, 0, UINT16_MAX, &port) ||
	    (*digits == '0' && n > 1))
		return false;
	r->port = (uint16_t)port;
	return take_name(r->name, rest + n + 1);
}

enum enrol_found enrol_find_reply(struct enrol_reply *r, const char *text,
				  size_t len)
{
	const char *end = text + len, *nl;
	char line[ENROL_LINE_MAX + 1];

	for (; (nl = memchr(text, '\n', (size_t)(end - text))); text = nl + 1) {
		size_t n = (size_t)(nl - text);

		if (n < strlen(MARK) || memcmp(text, MARK, strlen(MARK)) != 0)
			continue;
		if (text[n - 1] == '\r')
			n--;
		if (n >= sizeof(line) || memchr(text, '\0', n))
			return ENROL_GARBAGE;
		memcpy(line, text, n);
		line[n] = '\0';
		return enrol_parse_reply(r, line) ? ENROL_REPLY : ENROL_GARBAGE;
	}
	return ENROL_NOTHING;
}

/* ---- words ---- */

/* The words of $VDE_SSH, as far as they go. */
static int split_ssh(struct enrol_words *w, const char *ssh, int room,
		     struct strbuf *why)
{
	size_t len = strlen(ssh) + 1;
	char *rest = w->mem;
	int n = 0, rc;

	if (len > sizeof(w->mem) / 2) {
		strbuf_add(why, "unable to use VDE_SSH: too long");
		return -EINVAL;
	}
	memcpy(w->mem, ssh, len);
	while (n < room && (rc = quote_next(&rest, &w->argv[n])) > 0)
		n++;
	if (n == room || rc < 0 || !n) {
		strbuf_fmt(why, "unable to use VDE_SSH: %s",
			   n == room ? "too many words"
			   : rc < 0  ? "a quote has no end"
				     : "no command");
		return -EINVAL;
	}
	return n;
}

int enrol_words(struct enrol_words *w, const char *ssh, const char *user,
		const struct address *host, const char *program,
		struct strbuf *why)
{
	struct strbuf b;
	int n;

	static_assert(sizeof(w->mem) / 2 >
			      ADDRESS_USER_SIZE + ADDRESS_HOST_SIZE +
				      PROGRAM_MAX + sizeof("enrol"),
		      "all of them fit");
	memset(w, 0, sizeof(*w));
	n = split_ssh(w, ssh ? ssh : "ssh", ENROL_WORDS_MAX - 3, why);
	if (n < 0)
		return n;
	if (!program)
		program = "vde_cryptcab";
	if (!*program || *program == '-' || strlen(program) > PROGRAM_MAX ||
	    program[strspn(program, WORD_CHARS)]) {
		strbuf_add(why, "unable to use VDE_CRYPTCAB: it must be one "
				"path of letters, digits and ._/+-");
		return -EINVAL;
	}
	/* address_parse_target() let nothing else pass; but who knows where
	 * these are from. */
	if (*user == '-' || *host->host == '-' || !*host->host) {
		strbuf_add(why, "unable to use ssh: that is no host");
		return -EINVAL;
	}
	strbuf_init(&b, w->mem + sizeof(w->mem) / 2, sizeof(w->mem) / 2);
	w->argv[n++] = b.s;
	strbuf_fmt(&b, "%s%s%s", user, *user ? "@" : "", host->host);
	/* The next word begins behind the NUL of this one. */
	strbuf_init(&b, b.s + b.len + 1, b.size - b.len - 1);
	w->argv[n++] = b.s;
	strbuf_add(&b, program);
	strbuf_init(&b, b.s + b.len + 1, b.size - b.len - 1);
	w->argv[n++] = b.s;
	strbuf_add(&b, "enrol");
	return 0;
}

/* ---- the server ---- */

static int refuse(struct enrol_reply *r, int rc, const char *why)
{
	memset(r, 0, sizeof(*r));
	r->refused = true;
	/* Cut where it must be. */
	(void)str_fmt(r->reason, sizeof(r->reason), "%s", why);
	return rc;
}

static int add(struct peersfile_peer *p, const char *peers_path,
	       struct strbuf *why)
{
	struct peersdisk d;
	int rc = peersdisk_begin(&d, peers_path, PEERSDISK_WAIT_MS, why);

	if (rc)
		return rc;
	rc = peersdisk_enrol(&d, p, why);
	if (!rc)
		return peersdisk_commit(&d, why);
	peersdisk_abort(&d);
	return rc < 0 ? rc : 0;
}

int enrol_serve(const char *line, const char *peers_path,
		const uint8_t own[static KEY64_BYTES], uint16_t port,
		struct enrol_reply *r, struct strbuf *why)
{
	struct peersfile_peer p = { .rules = { .untagged = VLAN_NONE } };
	struct enrol_request q;
	int rc = 0;

	if (!enrol_parse_request(&q, line)) {
		rc = -EINVAL;
		strbuf_add(why, "unable to enrol: no request of this version");
	} else if (!memcmp(q.key, own, KEY64_BYTES)) {
		rc = -EINVAL;
		strbuf_add(why, "unable to enrol: that key is the server's");
	}
	if (!rc) {
		memcpy(p.key, q.key, KEY64_BYTES);
		memcpy(p.name, q.name, sizeof(p.name));
		rc = add(&p, peers_path, why);
	}
	if (rc)
		return refuse(r, rc, why->s);
	memset(r, 0, sizeof(*r));
	memcpy(r->key, own, KEY64_BYTES);
	memcpy(r->name, p.name, sizeof(r->name));
	r->port = port;
	return 0;
}
