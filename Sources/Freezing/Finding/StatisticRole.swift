/// What a labelled value holds, told by the end of its label.
enum StatisticRole: String, CaseIterable {
    case mean, variance, count, total
    /// A statistic of which nothing is said: it is averaged as a mean is.
    case plain

    /// The part of a label that the values of one site share, and the role that the rest tells.
    static func split(_ label: String) -> (stem: String, role: StatisticRole) {
        guard let dot = label.lastIndex(of: "."), dot != label.startIndex else { return (label, .plain) }
        let stem = String(label[..<dot])
        return switch label[label.index(after: dot)...] {
        case "mean": (stem, .mean)
        case "var", "variance": (stem, .variance)
        case "count": (stem, .count)
        case "total": (stem, .total)
        default: (label, .plain)
        }
    }
}
