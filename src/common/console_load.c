// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The file is read whole before its first command runs, so that a command
 * may change it and a file without end cannot hold the program.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "common/console_impl.h"
#include "common/log.h"

#define DEPTH_MAX 8
#define LINES_MAX 65536
#define FILE_MAX (1024 * 1024)
#define LOGGED_MAX 100
#define LOGGED_REASON 512
#define PART_TIME (LOOP_MS / 10)

struct load {
	struct load *outer; /* whose line it is, or NULL */
	struct console *console;
	struct console_session *session; /* NULL: an rc file */
	struct writer *json; /* of the session, or NULL */
	uint8_t depth; /* of that writer, in the data of a line; else 0 */
	const char *path;
	unsigned int line_no;
	char *text, *next, *end;
	struct command cmd; /* what runs; with @json, its request only */
	bool busy; /* it has more to say */
	char copy[CONSOLE_LINE_MAX + 1]; /* its line, which it changes */
};

/* 0, or -errno for what is no file of commands. */
static int check_kind(int fd, size_t *size)
{
	struct stat st;

	*size = 0;
	if (fstat(fd, &st))
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
		return 0; /* /dev/null: "no rc file" */
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > FILE_MAX)
		return -EFBIG;
	*size = (size_t)st.st_size;
	return 0;
}

static int read_all(int fd, char *text, size_t size, size_t *len)
{
	while (*len < size) {
		ssize_t n = read(fd, text + *len, size - *len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		*len += (size_t)n;
	}
	return 0;
}

/* @text is the caller's to free, terminated and @len bytes long. O_NONBLOCK:
 * opening a FIFO must not wait for a writer. */
static int slurp(const char *path, char **text, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	size_t size;
	int rc;

	*text = NULL;
	*len = 0;
	if (fd < 0)
		return -errno;
	rc = check_kind(fd, &size);
	if (rc)
		goto out;
	*text = malloc(size + 1);
	if (!*text) {
		rc = -ENOMEM;
		goto out;
	}
	rc = read_all(fd, *text, size, len);
	if (rc) {
		free(*text);
		*text = NULL;
	} else {
		(*text)[*len] = '\0';
	}
out:
	close(fd);
	return rc;
}

/* ---- the three kinds of load ---- */

/* The first line of what a command says. */
struct reason {
	char text[LOGGED_REASON];
	size_t n;
	bool whole;
};

static void keep_line(void *ctx, const char *text, size_t n)
{
	struct reason *r = ctx;

	for (size_t i = 0; i < n && !r->whole; i++) {
		r->whole = text[i] == '\n' || r->n + 1 >= sizeof(r->text);
		if (!r->whole)
			r->text[r->n++] = text[i];
	}
}

/* Makes the copy that the handler may change; messages need the line. NULL if
 * there is no such command. */
static const struct mgmt_cmd *prepare(struct load *ld, const char *line,
				      char **copy)
{
	str_copy(ld->copy, sizeof(ld->copy), line);
	*copy = ld->copy;
	session_wants_json(copy);
	session_cut_comment(ld->console, *copy);
	return mgmt_find(ld->console->cfg.mgmt, *copy);
}

static void rc_failed(struct load *ld, const char *line, int rc,
		      const char *why)
{
	const struct console_dialect *d = ld->console->cfg.dialect;

	if (ld->console->load_bad++ >= LOGGED_MAX)
		return;
	if (d->rc_failed)
		d->rc_failed(ld->path, ld->line_no, line, rc, why);
	else
		log_warn("%s:%u: %.200s: %s", ld->path, ld->line_no, line,
			 *why ? why : strerror(-rc));
}

/* At once: nobody is there yet who would have to wait. A command without data
 * that says something, and fails, has said why. */
static void rc_line(struct load *ld, const char *line, int rc)
{
	const struct mgmt_cmd *cmd;
	struct mgmt_req req = { 0 };
	struct reason why = { .n = 0 };
	const char *reason = "";
	struct writer w;
	char *copy;

	if (!rc && (!*line || *line == '#'))
		return;
	if (!rc) {
		writer_init(&w, false, keep_line, &why);
		req.w = &w;
		cmd = prepare(ld, line, &copy);
		rc = cmd ? mgmt_run(ld->console->cfg.mgmt, cmd, &req, copy)
			 : -ENOSYS;
		while (rc > 0)
			rc = mgmt_more(&req);
		if (ld->console->cfg.dialect->explains && req.why[0])
			reason = req.why;
		else if (why.n && cmd && !cmd->data)
			reason = why.text;
	}
	if (rc < 0)
		rc_failed(ld, line, rc, reason);
}

/* "vde[PATH]: LINE" with all its blanks, or what the dialect has; the name is
 * the prompt's up to its "$ ". */
static void echo_line(const struct load *ld, const char *line, size_t len)
{
	struct console_session *s = ld->session;
	const char *prompt = ld->console->cfg.prompt;
	const struct console_dialect *d = ld->console->cfg.dialect;
	char shown[CONSOLE_LINE_MAX];
	struct writer w;

	if (len && line[len - 1] == '\r')
		len--;
	len = size_min(len, sizeof(shown));
	for (size_t i = 0; i < len; i++) {
		shown[i] = line[i];
		if (iscntrl((uint8_t)line[i]) && line[i] != '\t')
			shown[i] = '?';
	}
	writer_init(&w, false, session_sink, s);
	if (d->load_before) {
		session_puts(s, d->load_before);
		writer_str(&w, NULL, "", ld->path, 0);
		session_puts(s, d->load_behind);
	} else {
		session_put(s, prompt, strcspn(prompt, "$"));
		writer_str(&w, NULL, "[", ld->path, 0);
		session_puts(s, "]: ");
	}
	session_put(s, shown, len);
	session_put(s, "\n", 1);
}

/* The command of this line has ended, unless it says MGMT_MORE. */
static int text_over(struct load *ld, int rc)
{
	if (rc > 0)
		return rc;
	session_end(&ld->cmd, rc);
	return 0;
}

/* An empty line is echoed by VDE 2 with a newline too many and taken for a
 * command; its transcript is kept. */
static int text_line(struct load *ld, bool empty, const char *text, int rc)
{
	if (empty)
		session_put(ld->session, "\n", 1);
	if (empty && !ld->console->cfg.dialect->load_before)
		rc = -ENOSYS;
	if (rc) {
		session_result(ld->session, rc);
		return 0;
	}
	if (!*text || *text == '#')
		return 0;
	str_copy(ld->copy, sizeof(ld->copy), text);
	return text_over(ld, session_begin(&ld->cmd, ld->session, ld->copy));
}

static int json_over(struct load *ld, int rc)
{
	struct writer *w = ld->json;

	if (rc > 0)
		return rc;
	if (ld->depth) {
		while (w->depth >= ld->depth)
			writer_close(w);
		ld->depth = 0;
		session_spare(ld->session);
	}
	writer_num(w, "errno", NULL, rc < 0 ? -rc : 0, 0);
	writer_str(w, "result", NULL, strerror(rc < 0 ? -rc : 0), 0);
	session_failed(ld->session, w, rc, ld->cmd.req.why);
	writer_close(w);
	return 0;
}

static int json_line(struct load *ld, const char *line, int rc)
{
	const struct mgmt_cmd *cmd;
	struct writer *w = ld->json;
	char *copy;

	if (!rc && (!*line || *line == '#'))
		return 0;
	writer_open(w, NULL);
	writer_num(w, "line", NULL, ld->line_no, 0);
	writer_str(w, "command", NULL, line, 0);
	if (!rc) {
		writer_open(w, "data");
		ld->depth = w->depth;
		ld->cmd.req = (struct mgmt_req){ .w = w,
						 .session = ld->session };
		cmd = prepare(ld, line, &copy);
		rc = cmd ? mgmt_run(ld->console->cfg.mgmt, cmd, &ld->cmd.req,
				    copy)
			 : -ENOSYS;
	}
	return json_over(ld, rc);
}

static int load_line(struct load *ld, char *line, size_t len)
{
	char *text;
	int rc = 0;

	if (ld->session && !ld->json)
		echo_line(ld, line, len);
	text = session_strip(line, len);
	if (!text)
		rc = -EINVAL;
	else if (strlen(text) > CONSOLE_LINE_MAX)
		rc = -E2BIG;
	if (!text)
		text = line;
	if (ld->json)
		return json_line(ld, text, rc);
	if (ld->session)
		return text_line(ld, !len, text, rc);
	rc_line(ld, text, rc);
	return 0;
}

static int next_line(struct load *ld)
{
	char *line = ld->next;
	char *nl = memchr(line, '\n', (size_t)(ld->end - line));

	if (!nl)
		nl = ld->end;
	*nl = '\0';
	ld->next = nl + 1;
	ld->line_no++;
	return load_line(ld, line, (size_t)(nl - line));
}

/* ---- an rc file ---- */

static int load_rc(struct console *c, const char *path)
{
	struct load ld = { .console = c, .path = path };
	size_t len;
	int rc;

	if (c->load_depth >= DEPTH_MAX)
		return -ELOOP;
	rc = slurp(path, &ld.text, &len);
	if (rc)
		return rc;
	if (!c->load_depth++)
		c->load_lines = c->load_bad = 0;
	ld.next = ld.text;
	ld.end = ld.text + len;
	while (!rc && ld.next < ld.end) {
		if (c->load_lines++ >= LINES_MAX)
			rc = -E2BIG;
		else
			next_line(&ld);
	}
	if (!--c->load_depth && c->load_bad > LOGGED_MAX)
		log_warn("%s: %u more lines that failed are not shown", path,
			 c->load_bad - LOGGED_MAX);
	free(ld.text);
	return rc;
}

/* ---- of a session ---- */

/* The new one is the innermost. @path is kept as long as its request. */
static int load_open(struct console *c, struct console_session *s,
		     const char *path, struct mgmt_req *rq)
{
	struct command *outer = container_of(rq, struct command, req);
	struct load *ld;
	size_t len;
	int rc;

	if (s->n_loads >= DEPTH_MAX)
		return -ELOOP;
	ld = calloc(1, sizeof(*ld));
	if (!ld)
		return -ENOMEM;
	rc = slurp(path, &ld->text, &len);
	if (rc) {
		free(ld);
		return rc;
	}
	ld->console = c;
	ld->session = s;
	ld->json = s->json;
	ld->path = path;
	ld->next = ld->text;
	ld->end = ld->text + len;
	if (!s->n_loads++)
		s->load_lines = 0;
	ld->outer = s->load;
	s->load = ld;
	if (ld->json)
		writer_list(ld->json, "commands");
	else if (c->cfg.dialect->load_before)
		session_open_block(outer);
	return 0;
}

/* The innermost. */
static void load_close(struct console_session *s)
{
	struct load *ld = s->load;

	if (ld->busy && ld->json)
		json_over(ld, -ECANCELED);
	else if (ld->busy)
		text_over(ld, -ECANCELED);
	if (ld->json)
		writer_close(ld->json);
	s->load = ld->outer;
	s->n_loads--;
	free(ld->text);
	free(ld);
}

void session_end_loads(struct console_session *s)
{
	while (s->load)
		load_close(s);
}

bool session_loads_use(const struct console_session *s,
		       const struct mgmt_table *table)
{
	for (const struct load *ld = s->load; ld; ld = ld->outer)
		if (ld->busy && mgmt_has(table, ld->cmd.req.cmd))
			return true;
	return false;
}

static struct load *load_at(const struct console_session *s, uint64_t depth)
{
	struct load *ld = s->load;

	for (unsigned int at = s->n_loads; at > depth; at--)
		ld = ld->outer;
	return ld;
}

/* Lines, or a part of what one has to say, until enough time has passed. */
static int run_part(struct load *ld)
{
	struct console_session *s = ld->session;
	struct loop *l = ld->console->cfg.loop;
	uint64_t end = loop_clock(l) + PART_TIME;
	int rc;

	while (!s->logout && !s->broken && (ld->busy || ld->next < ld->end)) {
		if (ld->busy)
			rc = ld->json ? json_over(ld, mgmt_more(&ld->cmd.req))
				      : text_over(ld, session_more(&ld->cmd));
		else if (s->load_lines++ >= LINES_MAX)
			return -E2BIG;
		else
			rc = next_line(ld);
		ld->busy = rc > 0;
		if (ld->busy || loop_clock(l) > end)
			return MGMT_MORE;
	}
	return 0;
}

int console_load(struct console *c, const char *path, struct mgmt_req *rq)
{
	struct console_session *s = rq ? rq->session : NULL;
	struct load *ld;
	int rc;

	if (!s)
		return load_rc(c, path);
	if (!rq->again) {
		rc = load_open(c, s, path, rq);
		if (rc)
			return rc;
		rq->more[0] = s->n_loads;
	}
	ld = load_at(s, rq->more[0]);
	rc = run_part(ld);
	while (rc <= 0 && s->n_loads >= rq->more[0])
		load_close(s);
	return rc;
}
