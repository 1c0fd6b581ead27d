/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * quote - words that may have blanks in them
 *
 * Words are separated by blanks. Between quotes, single or double, blanks are
 * like others, and so is everything but the end; only between double quotes
 * \" and \\ stand for the second character. A word may be made of quoted and
 * bare pieces, and '' is an empty one.
 */
#ifndef BASE_QUOTE_H
#define BASE_QUOTE_H

/* Takes the next word off *@rest, which is changed; *@word lies in it. 1; 0 if
 * there is none; -EINVAL if a quote is not closed. */
int quote_next(char **rest, char **word);

#endif
