// SPDX-License-Identifier: GPL-2.0-or-later
#include "term/words.h"

#include <string.h>

#include "base/util.h"

static const char dashes[] = "------------";

void words_clear(struct words *w)
{
	w->n = 0;
	w->begun = false;
}

/* Length of the word that @line begins with, 0 if it is none to keep. */
static size_t first_word(const char *line, size_t len)
{
	size_t n = 0;

	while (n < len && line[n] > ' ' && line[n] < 0x7f && line[n] != '.')
		n++;
	if (n == len || line[n] == ' ' || line[n] == '.')
		return n < WORDS_LEN ? n : 0;
	return 0;
}

static bool is_known(const struct words *w, const char *word)
{
	for (size_t i = 0; i < w->n; i++)
		if (!strcmp(w->word[i], word))
			return true;
	return false;
}

static void drop_heading(struct words *w, const char *word)
{
	size_t n;

	if (!w->n)
		return;
	n = strlen(w->word[w->n - 1]);
	if (!strncmp(w->word[w->n - 1], word, n) && word[n] == '/')
		w->n--;
}

void words_line(struct words *w, const char *line, size_t len)
{
	char word[WORDS_LEN];
	size_t n;

	if (!w->begun) {
		w->begun = len >= strlen(dashes) &&
			   !memcmp(line, dashes, strlen(dashes));
		return;
	}
	n = first_word(line, len);
	if (!n)
		return;
	memcpy(word, line, n);
	word[n] = '\0';
	drop_heading(w, word);
	if (w->n < WORDS_MAX && !is_known(w, word))
		memcpy(w->word[w->n++], word, n + 1);
}

int words_match(const struct words *w, const char *prefix, size_t from)
{
	size_t n = strlen(prefix);

	for (size_t i = from; i < w->n; i++)
		if (!strncmp(w->word[i], prefix, n))
			return (int)i;
	return -1;
}

enum words_want words_wanted(const char *before, size_t len)
{
	static const struct {
		const char *word;
		enum words_want then;
	} known[] = {
		{ "help", WORDS_WANT_COMMAND },
		{ "load", WORDS_WANT_FILE },
		{ "plugin/add", WORDS_WANT_FILE },
		{ "pdump/filename", WORDS_WANT_FILE },
		{ "iplog/logfile", WORDS_WANT_FILE },
	};
	size_t i = 0, n = 0;

	for (;;) { /* find the first word that is not "-j" */
		while (i < len && (before[i] == ' ' || before[i] == '\t'))
			i++;
		while (i + n < len && before[i + n] != ' ' &&
		       before[i + n] != '\t')
			n++;
		if (n != 2 || memcmp(before + i, "-j", 2))
			break;
		i += n;
		n = 0;
	}
	if (!n)
		return WORDS_WANT_COMMAND;
	for (size_t k = 0; k < ARRAY_SIZE(known); k++)
		if (strlen(known[k].word) == n &&
		    !memcmp(known[k].word, before + i, n))
			return known[k].then;
	return WORDS_WANT_NOTHING;
}
