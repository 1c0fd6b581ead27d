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

struct load {
	struct console *console;
	struct console_session *session; /* NULL: an rc file */
	struct writer *json; /* of the session, or NULL */
	const char *path;
	unsigned int line_no;
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

static void null_sink(void *ctx, const char *text, size_t n)
{
}

/* The handlers change their line; the messages still need it. */
static int run_copy(const struct load *ld, struct writer *w, const char *line)
{
	char copy[CONSOLE_LINE_MAX + 1], *cmd = copy;
	struct console *c = ld->console;

	str_copy(copy, sizeof(copy), line);
	session_wants_json(&cmd);
	return session_exec(c, ld->session, w, mgmt_find(c->cfg.mgmt, cmd),
			    cmd);
}

static void rc_line(const struct load *ld, const char *line, int rc)
{
	struct writer w;

	if (!rc && (!*line || *line == '#'))
		return;
	writer_init(&w, false, null_sink, NULL);
	if (!rc)
		rc = run_copy(ld, &w, line);
	if (rc < 0 && ld->console->load_bad++ < LOGGED_MAX)
		log_warn("%s:%u: %.200s: %s", ld->path, ld->line_no, line,
			 strerror(-rc));
}

/* "vde[PATH]: LINE" with all its blanks: the name is the prompt's up to its
 * "$ ". */
static void echo_line(const struct load *ld, const char *line, size_t len)
{
	struct console_session *s = ld->session;
	const char *prompt = ld->console->cfg.prompt;
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
	session_put(s, prompt, strcspn(prompt, "$"));
	writer_init(&w, false, session_sink, s);
	writer_str(&w, NULL, "[", ld->path, 0);
	session_puts(s, "]: ");
	session_put(s, shown, len);
	session_put(s, "\n", 1);
}

/* An empty line is echoed by VDE 2 with a newline too many and taken for a
 * command; its transcript is kept. */
static void text_line(const struct load *ld, bool empty, const char *text,
		      int rc)
{
	char copy[CONSOLE_LINE_MAX + 1];

	if (empty) {
		session_put(ld->session, "\n", 1);
		rc = -ENOSYS;
	}
	if (rc) {
		session_result(ld->session, rc);
	} else if (*text && *text != '#') {
		str_copy(copy, sizeof(copy), text);
		session_command(ld->session, copy);
	}
}

static void json_line(const struct load *ld, const char *line, int rc)
{
	struct writer *w = ld->json;
	uint8_t depth;

	if (!rc && (!*line || *line == '#'))
		return;
	writer_open(w, NULL);
	writer_num(w, "line", NULL, ld->line_no, 0);
	writer_str(w, "command", NULL, line, 0);
	if (!rc) {
		writer_open(w, "data");
		depth = w->depth;
		rc = run_copy(ld, w, line);
		while (w->depth >= depth)
			writer_close(w);
		if (ld->session->terminal)
			ld->session->logout = false; /* it cannot */
	}
	writer_num(w, "errno", NULL, rc < 0 ? -rc : 0, 0);
	writer_str(w, "result", NULL, strerror(rc < 0 ? -rc : 0), 0);
	writer_close(w);
}

static void load_line(const struct load *ld, char *line, size_t len)
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
	if (!ld->session)
		rc_line(ld, text, rc);
	else if (ld->json)
		json_line(ld, text, rc);
	else
		text_line(ld, !len, text, rc);
}

static int load_text(struct load *ld, char *text, size_t len)
{
	const struct console_session *s = ld->session;
	char *end = text + len;

	while (text < end) {
		char *nl = memchr(text, '\n', (size_t)(end - text));

		if (s && (s->logout || s->broken))
			return 0;
		if (ld->console->load_lines++ >= LINES_MAX)
			return -E2BIG;
		if (!nl)
			nl = end;
		*nl = '\0';
		ld->line_no++;
		load_line(ld, text, (size_t)(nl - text));
		text = nl + 1;
	}
	return 0;
}

int console_load(struct console *c, const char *path, struct console_session *s)
{
	struct load ld = { c, s, s ? s->json : NULL, path, 0 };
	char *text;
	size_t len;
	int rc;

	if (c->load_depth >= DEPTH_MAX)
		return -ELOOP;
	rc = slurp(path, &text, &len);
	if (rc)
		return rc;
	if (!c->load_depth++)
		c->load_lines = c->load_bad = 0;
	if (ld.json)
		writer_list(ld.json, "commands");
	rc = load_text(&ld, text, len);
	if (ld.json)
		writer_close(ld.json);
	if (!--c->load_depth && c->load_bad > LOGGED_MAX)
		log_warn("%s: %u more lines that failed are not shown", path,
			 c->load_bad - LOGGED_MAX);
	free(text);
	return rc;
}
