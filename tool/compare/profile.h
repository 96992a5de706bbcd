/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * @file
 * What a script asks for, whoever serves it.
 */
#ifndef ACRE_TOOL_COMPARE_PROFILE_H
#define ACRE_TOOL_COMPARE_PROFILE_H

#include "tool/compare/result.h"

/**
 * Fills `profile`. Linear; memory for the slots of the script.
 * @return false: there is no memory; `profile` is zeroed then.
 */
bool compare_profile_make(struct compare_profile *profile, const struct replay_script *script);

#endif
