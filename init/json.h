/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON on standard output.
 */
#ifndef INIT_JSON_H
#define INIT_JSON_H

#include "fault.h"

/* Bytes that a text in an array of that size takes as a string. */
#define JSON_QUOTED(size) (2 * (size) + 1)

/*
 * Makes a string of text, in to, which has JSON_QUOTED() bytes; returns to. Texts of an image are
 * printable ASCII, and so is most of the others; what is not becomes a question mark.
 */
const char *json_quote(char *to, const char *text);

/* Prints text as a string, and waits for who reads it. Up to 511 bytes. */
void json_string(const char *text);

/*
 * Says a line with an event and its other keys, up to 1200 bytes in all, as say_raw() does:
 * {"event":"note","message":"..."}
 */
void json_event(const char *event, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Says the last event: done, or failed with what failed, NULL if nothing did. Returns the exit code. */
int json_end(const struct fault *f);

#endif
