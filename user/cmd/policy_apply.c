// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy.h"

#include "../base/number.h"
#include "../config/config.h"
#include "../config/secret_file.h"
#include "../defence/shared_secret.h"
#include "../model/names.h"
#include "../model/policy.h"
#include "../policy/armed.h"
#include "../policy/policy_view_reader.h"

#include <errno.h>
#include <string.h>

static struct {
	uint64_t confirm_ms;
} given;

static const struct sw_option options[] = {
	{ "confirm", 'c', SW_OPTION_DURATION, &given.confirm_ms, "DURATION",
	  .help = "restore the previous policy after that time, unless confirmed", .minimum = 1000,
	  .maximum = 86400000 },
	{},
};

/* Has any defence stepped aside? Applied anew, a policy has all of them begin anew. */
static int any_stands_aside(const struct sw_policy_work *work, bool *any)
{
	struct sw_policy_view view;
	int error = sw_policy_view_read(&work->instance, &view);

	*any = false;
	for (uint32_t i = 0; i < view.row_count && !error; i++)
		*any |= sw_row_stands_aside(&view.rows[i]);
	return error;
}

/* Makes what the file says the active policy, at the least cost to what is known already. */
static int activate(struct sw_policy_work *work)
{
	struct sw_policy_change change = { .confirm_ms = (uint32_t)given.confirm_ms,
					   .arm = true,
					   .insist = true };
	bool same = sw_policy_equal(work->active, work->other), armed, aside, waited;
	int error = sw_armed_read(&work->instance, &armed);

	if (!error)
		error = any_stands_aside(work, &aside);
	if (error)
		return error;
	same = same && !aside;
	if (same && !given.confirm_ms) {
		error = work->state.pending ? sw_policy_confirm(&work->instance, &waited) : 0;
		return error ? error : sw_armed_write(&work->instance, true);
	}
	if (same && armed && !work->state.pending) {
		/* what is active is what there would be to go back to */
		work->untried = true;
		if (work->state.fallback < SW_POLICY_SLOTS)
			return 0;
		/* 'confirm' has to find it applied, not restored, by a rollback or by the first attach */
		change.confirm_ms = 0;
	}
	return sw_policy_install(&work->instance, work->other, &change);
}

/*
 * Says which timeouts that 'attach --timeout' or an earlier policy has set are the usual ones again, since the
 * file has none: it would look as if they still were what was asked for.
 */
static void note_timeouts(const struct sw_policy_work *work)
{
	const __u32 *before = work->active->rules[SW_SERVICE_DEFAULT].timeout_ms;
	const __u32 *now = work->other->rules[SW_SERVICE_DEFAULT].timeout_ms;
	char a[SW_NUMBER_SIZE], b[SW_NUMBER_SIZE], list[256] = "";

	for (int i = 0; i < SW_TIMEOUT_COUNT; i++) {
		size_t length = strlen(list);

		if (before[i] == now[i] || now[i] != sw_timeout_defaults[i])
			continue;
		sw_format(list + length, sizeof(list) - length, "%s%s from %s to %s",
			  length ? ", " : "", sw_timeout_words[i].name,
			  sw_format_exact_duration(a, before[i]),
			  sw_format_exact_duration(b, now[i]));
	}
	if (*list)
		sw_note("this policy sets timeouts back to their defaults: %s. To keep them, write "
			"them into the file, under default: timeouts:",
			list);
}

/* The secret, if the policy wants it, is read before anything is changed. */
static int apply(struct sw_policy_work *work)
{
	bool shares = work->other->features & SW_HAS_SHARED_SECRET;
	struct sw_cookie_master masters[SW_COOKIE_MASTERS] = {};
	int error = shares ? sw_secret_file_read(sw_global.secret_file, masters) : 0;

	if (error)
		return error;
	error = sw_policy_work_begin(work, SW_ACCESS_CHANGE);
	if (!error)
		error = activate(work);
	/* behind it, so that a policy that is refused changes no key; the cookies of the key before are honoured on */
	if (!error && shares)
		error = sw_shared_secret_load(&work->instance, masters, &work->secret_changed);
	explicit_bzero(masters, sizeof(masters));
	return sw_policy_failed(error);
}

static int run(int argc, char **argv)
{
	SW_AUTO_POLICY_WORK struct sw_policy_work work = SW_POLICY_WORK_NONE;
	int first = sw_command_options(&sw_cmd_policy_apply, argc, argv), error;
	const char *file;

	if (first <= 0)
		return first;
	file = sw_policy_file(&sw_cmd_policy_apply, argc, argv, first);
	if (!file)
		return -EINVAL;
	error = sw_policy_work_load(&work, file);
	if (!error)
		error = apply(&work);
	if (error)
		return error;
	note_timeouts(&work);
	if (work.secret_changed && given.confirm_ms)
		sw_note("the secret is not on trial: --confirm restores the previous policy, not "
			"the previous secret");
	return sw_policy_tell(&work, "applied",
			      (given.confirm_ms && !work.untried) || sw_policy_save(&work));
}

const struct sw_command sw_cmd_policy_apply = {
	.name = "policy apply",
	.summary = "make a file the active policy",
	.usage = "[FILE]",
	.text = "Without FILE it applies " SW_DEFAULT_POLICY "; - is standard input. A file\n"
		"with a mistake changes nothing. Every packet meets either the old or the new\n"
		"policy, never a mixture. The policy is saved for the next boot. Applying it also\n"
		"ends 'disarm', and lets a flood defence that has stepped aside try again.\n"
		"The secret of flood_defence.shared_secret is read again, if the policy has it.\n"
		"\n"
		"With --confirm the kernel restores the previous policy after that time, unless\n"
		"you confirm the new one: also if you cannot reach this machine any more. Until\n"
		"then the new policy is not saved. If you apply another one meanwhile, the kernel\n"
		"still restores that same previous policy. It does not restore a secret.\n"
		"\n"
		"Examples:\n"
		"  synward policy apply\n"
		"  synward policy apply web-server.yaml --confirm 60s\n",
	.options = options,
	.run = run,
};
