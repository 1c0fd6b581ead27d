// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/quote.h"

#include <errno.h>
#include <string.h>

#define BLANKS " \t\r\n"

static int is_blank(char c)
{
	return c != '\0' && strchr(BLANKS, c) != NULL;
}

/* The piece behind the quote at @from goes to *@to. Returns what is behind it,
 * or NULL if it has no end. */
static char *unquote(char *from, char **to)
{
	char quote = *from++;

	for (; *from != quote; from++) {
		if (quote == '"' && *from == '\\' &&
		    (from[1] == '"' || from[1] == '\\'))
			from++;
		if (!*from)
			return NULL;
		*(*to)++ = *from;
	}
	return from + 1;
}

int quote_next(char **rest, char **word)
{
	char *from = *rest + strspn(*rest, BLANKS), *to = from;

	*rest = *word = from;
	if (!*from)
		return 0;
	while (*from && !is_blank(*from)) {
		if (*from == '"' || *from == '\'') {
			from = unquote(from, &to);
			if (!from)
				return -EINVAL;
		} else {
			*to++ = *from++;
		}
	}
	*rest = from + (*from != '\0');
	*to = '\0';
	return 1;
}
