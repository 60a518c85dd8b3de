// The child process that maps plugins so that its parent need not.
#pragma once

namespace agentd::runner {

// What `agentd --runner ...` does; argv[0] is the program, argv[1] the word after --runner.
//   inspect FILE   loads the plugin and prints its descriptor as one JSON object; {"error": reason} and exit 1 when it cannot
//   tools FILE FOLDER   makes each toolset of it with the settings {} and prints what they publish, see look.hpp
//   test FILE FOLDER    holds each component to what its kind promises, with the settings in FOLDER/settings.json, see trial.hpp
int runner_main(int argc, char** argv);

}  // namespace agentd::runner
