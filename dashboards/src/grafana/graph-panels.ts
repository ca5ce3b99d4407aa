import {
  AxisPlacement,
  BarAlignment,
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  LineInterpolation,
  ScaleDistribution,
  ScaleDistributionConfigBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  HeatmapColorScale,
  HeatmapTooltipBuilder,
  PanelBuilder as Heatmap,
  YAxisConfigBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap';
import { PanelBuilder as StateTimeline } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TimeSeries } from '@grafana/grafana-foundation-sdk/timeseries';
import { byThreshold, type Facts, framed, type PanelBuilder } from './panels.js';

const legend = (): VizLegendOptionsBuilder =>
  new VizLegendOptionsBuilder()
    .displayMode(LegendDisplayMode.List)
    .placement(LegendPlacement.Bottom)
    .showLegend(true)
    .calcs([]);

const allAtOnce = (): VizTooltipOptionsBuilder =>
  new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending);

/** Stacked bars for counts: at most 60, at least 5 minutes wide, so that a single event shows in a day and in a month. */
export const bars = (facts: Facts): PanelBuilder =>
  framed(new TimeSeries(), facts)
    .interval('5m')
    .maxDataPoints(60)
    .drawStyle(GraphDrawStyle.Bars)
    .barAlignment(BarAlignment.Before)
    .barWidthFactor(0.85)
    .fillOpacity(85)
    .lineWidth(0)
    .min(0)
    .axisSoftMax(4)
    .stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'))
    .legend(legend())
    .tooltip(allAtOnce());

/** Lines for values that are always measured. */
export const lines = (facts: Facts): PanelBuilder =>
  framed(new TimeSeries(), facts)
    .drawStyle(GraphDrawStyle.Line)
    .lineWidth(2)
    .fillOpacity(8)
    .showPoints(VisibilityMode.Never)
    .min(0)
    .legend(legend())
    .tooltip(allAtOnce());

/** Points for durations that exist only when something happens, on a logarithmic scale. */
export const dots = (facts: Facts): PanelBuilder =>
  framed(new TimeSeries(), facts)
    .interval('5m')
    .maxDataPoints(60)
    .drawStyle(GraphDrawStyle.Points)
    .showPoints(VisibilityMode.Always)
    .pointSize(7)
    .scaleDistribution(new ScaleDistributionConfigBuilder().type(ScaleDistribution.Log).log(10))
    .legend(legend())
    .tooltip(allAtOnce());

/** Steps for whole numbers that last, such as open sessions. */
export const levels = (facts: Facts): PanelBuilder =>
  framed(new TimeSeries(), facts)
    .drawStyle(GraphDrawStyle.Line)
    .lineInterpolation(LineInterpolation.StepAfter)
    .lineWidth(1)
    .fillOpacity(30)
    .showPoints(VisibilityMode.Never)
    .min(0)
    .axisSoftMax(4)
    .stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'))
    .legend(legend())
    .tooltip(allAtOnce());

/** Histogram buckets over time. */
export const heatmap = (facts: Facts): PanelBuilder =>
  framed(new Heatmap(), facts)
    .interval('5m')
    .maxDataPoints(60)
    .calculate(false)
    .color(
      new HeatmapColorOptionsBuilder()
        .mode(HeatmapColorMode.Scheme)
        .scheme('Blues')
        .scale(HeatmapColorScale.Exponential)
        .exponent(0.5)
        .steps(32)
        .reverse(false),
    )
    .yAxis(new YAxisConfigBuilder().unit(facts.unit).axisPlacement(AxisPlacement.Left))
    .cellGap(2)
    .tooltip(new HeatmapTooltipBuilder().mode(TooltipDisplayMode.Single).yHistogram(true));

/** One band per series, coloured by its state. */
export const bands = (facts: Facts): PanelBuilder =>
  framed(new StateTimeline(), facts)
    .mergeValues(true)
    .showValue(VisibilityMode.Never)
    .rowHeight(0.8)
    .lineWidth(0)
    .fillOpacity(85)
    .legend(legend())
    .tooltip(allAtOnce())
    .colorScheme(byThreshold());
