internal import FoundationEssentials

/// The labels that a frozen model gives its population statistics, `bn_population` in its metadata.
struct StatisticLabels {
    private struct Entry: Decodable {
        let label: String
        let initializer: String
    }

    private var labels: [String: String] = [:]

    /// Labels that cannot be read are as good as none: they only name things.
    init(metadata: [String: String]) {
        guard let text = metadata["bn_population"],
            let entries = try? JSONDecoder().decode([Entry].self, from: Data(text.utf8))
        else { return }
        for entry in entries { labels[entry.initializer] = entry.label }
    }

    /// What the labels of a mean and a variance have in common: `block1.bn` of `block1.bn.mean`.
    func stem(mean: String, variance: String) -> String? {
        guard let label = labels[mean] else { return labels[variance].flatMap(Self.stem) }
        return Self.stem(label)
    }

    private static func stem(_ label: String) -> String? {
        guard let dot = label.lastIndex(of: "."), dot != label.startIndex else { return label }
        return String(label[..<dot])
    }
}
