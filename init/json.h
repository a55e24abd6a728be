/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON on standard output.
 */
#ifndef INIT_JSON_H
#define INIT_JSON_H

/*
 * Prints text as a string. Texts of an image are printable ASCII, and so is most of the others;
 * what is not becomes a question mark.
 */
void json_string(const char *text);

/* Prints a line with an event and its message, at once: {"event":"note","message":"..."} */
void json_event(const char *event, const char *message);

#endif
