package gofka.compat;

import java.util.HashMap;
import java.util.Map;

/** Command line: {@code --key value} pairs, and bare {@code --flag}s. */
final class Args {
    private final Map<String, String> values = new HashMap<>();

    static Args parse(String[] args) {
        Args out = new Args();
        for (int i = 0; i < args.length; i++) {
            String key = args[i].substring(2);
            boolean flag = i + 1 == args.length || args[i + 1].startsWith("--");
            out.values.put(key, flag ? "" : args[++i]);
        }
        return out;
    }

    boolean has(String key) {
        return values.containsKey(key);
    }

    String get(String key) {
        String value = values.get(key);
        if (value == null) {
            throw new IllegalArgumentException("missing --" + key);
        }
        return value;
    }
}
