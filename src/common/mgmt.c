// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mgmt.h"

#include <errno.h>
#include <string.h>

#include "base/num.h"
#include "base/strbuf.h"

#define BLANKS " \t\r\n"
#define NAME_ROOM 64

/* One parameter of a syntax string. */
struct param {
	const char *type;
	size_t len;
	bool optional;
	bool rest; /* "...": takes what is left of the line */
};

static size_t word_len(const char *s)
{
	return strcspn(s, BLANKS);
}

static const char *next_word(const char *s)
{
	s += word_len(s);
	return s + strspn(s, BLANKS);
}

const struct mgmt_cmd *mgmt_find(const struct mgmt *m, const char *line)
{
	size_t len;

	line += strspn(line, BLANKS);
	len = word_len(line);
	for (size_t t = 0; t < m->n_tables; t++) {
		for (size_t i = 0; i < m->tables[t].n_cmds; i++) {
			const struct mgmt_cmd *c = &m->tables[t].cmds[i];

			if (c->fn && word_len(c->syntax) == len &&
			    !memcmp(c->syntax, line, len))
				return c;
		}
	}
	return NULL;
}

static bool is_there(const struct mgmt *m, const struct mgmt_cmd *cmd)
{
	for (size_t t = 0; t < m->n_tables; t++)
		if (mgmt_has(&m->tables[t], cmd))
			return true;
	return false;
}

static struct param param_at(const char *word)
{
	struct param p = { .optional = *word == '[' };
	size_t trim = p.optional ? 2 : 1, len = word_len(word);

	assert(len > 2 * trim && word[trim - 1] == '<');
	p.type = word + trim;
	p.len = len - 2 * trim;
	p.rest = p.len > 3 && !memcmp(p.type + p.len - 3, "...", 3);
	return p;
}

static const struct mgmt_type *find_type(const struct mgmt *m,
					 const struct param *p)
{
	for (size_t i = 0; i < m->n_types; i++)
		if (strlen(m->types[i].name) == p->len &&
		    !memcmp(m->types[i].name, p->type, p->len))
			return &m->types[i];
	return NULL;
}

/* Cuts the next word, or all the rest, off *@args; NULL if there is none. */
static char *take(char **args, bool rest)
{
	char *s = *args + strspn(*args, BLANKS);
	size_t len = rest ? strlen(s) : word_len(s);

	*args = s + len + (s[len] != '\0');
	while (rest && len && strchr(BLANKS, s[len - 1]))
		len--;
	s[len] = '\0';
	return len ? s : NULL;
}

static int bind_args(const struct mgmt *m, const char *syntax,
		     struct mgmt_req *req, char *args)
{
	for (const char *w = next_word(syntax); *w; w = next_word(w)) {
		struct param p = param_at(w);
		const struct mgmt_type *type = find_type(m, &p);
		char *val = take(&args, p.rest);

		if (!val)
			return p.optional ? 0 : -EINVAL;
		assert(req->argc < MGMT_MAX_ARGS);
		if (!type)
			req->arg[req->argc].str = val;
		else if (!parse_num(val, type->min, type->max,
				    &req->arg[req->argc].num))
			return -EINVAL;
		if (type)
			req->numbers |= 1U << req->argc;
		req->argc++;
	}
	return take(&args, true) ? -EINVAL : 0;
}

int mgmt_run(const struct mgmt *m, const struct mgmt_cmd *cmd,
	     struct mgmt_req *req, char *line)
{
	int rc;

	line += strspn(line, BLANKS);
	req->mgmt = m;
	req->cmd = cmd;
	req->again = false;
	memset(req->more, 0, sizeof(req->more));
	req->part_at = req->w ? req->w->written : 0;
	req->argc = 0;
	req->numbers = 0;
	req->why[0] = '\0';
	rc = bind_args(m, cmd->syntax, req, line + word_len(line));
	if (!rc)
		return cmd->fn(req, m->ctx);
	str_fmt(req->why, sizeof(req->why), "usage: %s", cmd->syntax);
	return rc;
}

int mgmt_refuse(struct mgmt_req *req, int rc, const char *why)
{
	str_fmt(req->why, sizeof(req->why), "%s", why);
	return rc;
}

int mgmt_more(struct mgmt_req *req)
{
	if (!is_there(req->mgmt, req->cmd))
		return -ECANCELED;
	req->again = true;
	req->part_at = req->w->written;
	return req->cmd->fn(req, req->mgmt->ctx);
}

bool mgmt_pause(const struct mgmt_req *req)
{
	return req->w->written - req->part_at >= MGMT_PART;
}

/* ---- rows that somebody else made ---- */

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* "<type>", "<type...>", either in "[]". */
static bool is_param(const char *word, size_t len)
{
	bool optional = *word == '[';
	size_t trim = optional ? 2 : 1, in;

	if (len <= 2 * trim || word[trim - 1] != '<' ||
	    word[len - trim] != '>' || (optional && word[len - 1] != ']'))
		return false;
	len -= 2 * trim;
	in = strspn(word + trim, LETTERS DIGITS "_-");
	return in && (in == len ||
		      (in + 3 == len && !memcmp(word + trim + in, "...", 3)));
}

static bool is_syntax(const struct mgmt_cmd *c)
{
	bool optional = false, rest = false;
	const char *s = c->syntax;
	size_t n = 0, len = strspn(s, LETTERS DIGITS "/_+.-");

	if (!len || len >= NAME_ROOM || !strchr(LETTERS DIGITS, *s))
		return false;
	for (s += len; *s; s += len, n++) {
		struct param p;

		if (*s++ != ' ' || !c->fn || n == MGMT_MAX_ARGS)
			return false;
		len = word_len(s);
		if (!is_param(s, len))
			return false;
		p = param_at(s);
		if (rest || (optional && !p.optional))
			return false;
		optional = p.optional;
		rest = p.rest;
	}
	return true;
}

int mgmt_check(const struct mgmt *m, const struct mgmt_cmd *cmd)
{
	size_t len;

	if (!cmd->syntax || !cmd->shown || !cmd->help || !is_syntax(cmd))
		return -EINVAL;
	len = word_len(cmd->syntax);
	for (size_t t = 0; t < m->n_tables; t++)
		for (size_t i = 0; i < m->tables[t].n_cmds; i++) {
			const char *s = m->tables[t].cmds[i].syntax;

			if (word_len(s) == len && !memcmp(s, cmd->syntax, len))
				return -EEXIST;
		}
	return 0;
}

/* ---- help ---- */

static void help_row(struct writer *w, const struct mgmt_cmd *c,
		     const char *prefix)
{
	char name[NAME_ROOM];
	int len = (int)word_len(c->syntax);

	assert(len < NAME_ROOM);
	str_fmt(name, sizeof(name), "%.*s", len, c->syntax);
	if (prefix && strncmp(name, prefix, strlen(prefix)))
		return;
	writer_open(w, NULL);
	writer_str(w, "name", "", name, 18);
	writer_str(w, "syntax", " ", c->fn ? c->shown : "============", 15);
	writer_str(w, "help", " ", c->help, 0);
	writer_str(w, "usage", NULL, c->syntax, 0);
	writer_bool(w, "menu", !c->fn, NULL, NULL);
	writer_line(w);
	writer_close(w);
}

/* more[]: the table, and the row in it. */
int mgmt_help(struct mgmt_req *rq, const char *prefix)
{
	const struct mgmt *m = rq->mgmt;
	struct writer *w = rq->w;
	size_t i = (size_t)rq->more[1];

	if (!rq->again) {
		writer_text(w, "COMMAND PATH       SYNTAX          HELP\n");
		writer_text(
			w, "------------       --------------  ------------\n");
		writer_list(w, "commands");
	}
	for (size_t t = (size_t)rq->more[0]; t < m->n_tables; t++, i = 0) {
		for (; i < m->tables[t].n_cmds; i++) {
			if (mgmt_pause(rq)) {
				rq->more[0] = t;
				rq->more[1] = i;
				return MGMT_MORE;
			}
			help_row(w, &m->tables[t].cmds[i], prefix);
		}
	}
	writer_close(w);
	return 0;
}
