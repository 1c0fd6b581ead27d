// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lib/locator.h"

#include <errno.h>
#include <string.h>

#include "base/num.h"
#include "base/strbuf.h"

static bool is_module_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '-';
}

int locator_split(struct locator *l, const char *s)
{
	size_t n = 0;

	*l = (struct locator){ .module = "vde", .bare = true, .address = s };
	while (is_module_char(s[n]))
		n++;
	if (strncmp(s + n, "://", 3) != 0)
		return 0;
	if (!n || n >= sizeof(l->module))
		return -EINVAL;
	memcpy(l->module, s, n);
	l->module[n] = '\0';
	l->bare = false;
	l->address = s + n + 3;
	return 0;
}

/* Decoding in place: what comes out is never longer than what goes in. */
struct decoder {
	const char *in;
	char *out;
	char quote; /* the quotation mark that is open, or NUL */
	bool bad;
};

/* A percent sign without two digits stands for itself. */
static void decode_percent(struct decoder *d)
{
	int hi = hex_digit(d->in[1]), lo = hi < 0 ? -1 : hex_digit(d->in[2]);

	if (lo < 0) {
		*d->out++ = *d->in++;
		return;
	}
	if (!hi && !lo)
		d->bad = true;
	*d->out++ = (char)(hi << 4 | lo);
	d->in += 3;
}

static void decode_char(struct decoder *d)
{
	char c = *d->in;

	if (d->quote ? c == d->quote : c == '\'' || c == '"') {
		d->quote = (char)(d->quote ? '\0' : c);
		d->in++;
	} else if (c == '\\' && d->quote != '\'') {
		if (d->in[1])
			d->in++;
		*d->out++ = *d->in++;
	} else if (c == '%' && !d->quote) {
		decode_percent(d);
	} else {
		*d->out++ = c;
		d->in++;
	}
}

/* Decodes up to one of @stops outside quotes and swallows it. Returns it; NUL
 * at the end of the text. The piece is terminated and *@piece its start. */
static char decode_piece(struct decoder *d, const char *stops, char **piece)
{
	char stop;

	*piece = d->out;
	while (*d->in && (d->quote || !strchr(stops, *d->in)))
		decode_char(d);
	if (d->quote)
		d->bad = true;
	stop = *d->in;
	if (stop)
		d->in++;
	*d->out++ = '\0';
	return stop;
}

/* The first row of which @key is a beginning. */
static const struct locator_option *find_option(const struct locator_option *o,
						const char *key)
{
	size_t n = strlen(key);

	for (; o->key; o++)
		if (n && strncmp(o->key, key, n) == 0)
			return o;
	return NULL;
}

static int set_option(const struct locator_option *options, const char *key,
		      const char *value)
{
	const struct locator_option *o = find_option(options, key);

	if (!*key)
		return value ? -EINVAL : 0;
	if (o) {
		*o->value = value ? value : "";
		return 0;
	}
	if (value)
		return -EINVAL;
	for (o = options; o->key; o++)
		if (!*o->key)
			break;
	if (!o->key)
		return -EINVAL;
	*o->value = key;
	return 0;
}

int locator_parse_path(char *address, const struct locator_option *options)
{
	struct decoder d = { .in = address };
	char *key, *value, stop;
	int rc;

	d.out = address;
	stop = decode_piece(&d, "[", &key);
	if (!stop)
		return d.bad ? -EINVAL : 0;
	do {
		value = NULL;
		stop = decode_piece(&d, "=/]", &key);
		if (stop == '=')
			stop = decode_piece(&d, "/]", &value);
		rc = d.bad || !stop ? -EINVAL : set_option(options, key, value);
		if (rc < 0)
			return rc;
	} while (stop == '/');
	return *d.in ? -EINVAL : 1;
}

static bool parse_port(const char *s, int64_t min, uint16_t *port)
{
	int64_t v;

	if (!parse_num(s, min, UINT16_MAX, &v))
		return false;
	*port = (uint16_t)v;
	return true;
}

/* "HOST:PORT" or "[HOST]:PORT" or, without @host_needed, "PORT". */
static bool parse_endpoint(const char *s, size_t len, bool host_needed,
			   char host[LOCATOR_HOST_SIZE], uint16_t *port)
{
	char text[LOCATOR_HOST_SIZE + sizeof("[]:65535")], *colon, *name = text;
	struct strbuf b;

	strbuf_init(&b, text, sizeof(text));
	strbuf_addn(&b, s, len);
	if (b.cut)
		return false;
	colon = strrchr(text, ':');
	if (!colon) {
		host[0] = '\0';
		return !host_needed && parse_port(text, 0, port);
	}
	*colon = '\0';
	if (*name == '[') {
		if (colon[-1] != ']')
			return false;
		colon[-1] = '\0';
		name++;
	}
	return (*name || !host_needed) &&
	       str_copy(host, LOCATOR_HOST_SIZE, name) >= 0 &&
	       parse_port(colon + 1, host_needed, port);
}

int locator_parse_udp(struct locator_udp *u, const char *address)
{
	const char *arrow = strstr(address, "->");

	*u = (struct locator_udp){ .src_port = 0 };
	if (!arrow ||
	    !parse_endpoint(address, (size_t)(arrow - address), false,
			    u->src_host, &u->src_port) ||
	    !parse_endpoint(arrow + 2, strlen(arrow + 2), true, u->dst_host,
			    &u->dst_port))
		return -EINVAL;
	return 0;
}
