// Boost.URL's own sources: Debian's headers come without its library's package here.
#include <boost/url/src.hpp>
